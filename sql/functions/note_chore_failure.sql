-- Writes down that a chore failed that was due; who is at it now goes first.
CREATE OR REPLACE FUNCTION note_chore_failure(p_name text, p_error text) RETURNS void LANGUAGE sql AS $$
    UPDATE chore c SET failed_at = clock_timestamp(), error = left(p_error, 1000)
    WHERE c.name = (
        SELECT l.name FROM chore l WHERE l.name = p_name AND l.name IN (SELECT due_chores()) FOR NO KEY UPDATE SKIP LOCKED)
$$;
