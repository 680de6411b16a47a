-- Remembers that a worker has claimed something: its row is part of the history from then on.
CREATE OR REPLACE FUNCTION note_use(p_worker bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO worker_use VALUES (p_worker) ON CONFLICT DO NOTHING
$$;
