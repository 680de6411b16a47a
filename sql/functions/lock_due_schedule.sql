-- No row when somebody else is at it, or was.
CREATE OR REPLACE FUNCTION lock_due_schedule(p_schedule bigint) RETURNS SETOF schedule LANGUAGE sql AS $$
    SELECT * FROM schedule s
    WHERE s.schedule_id = p_schedule AND s.removed_at IS NULL AND s.look_at <= clock_timestamp()
    FOR UPDATE SKIP LOCKED
$$;
