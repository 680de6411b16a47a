-- Schedules: the program that fires one decides outside what is to be done, and does it by these functions in one transaction,
-- with the schedule's row locked.

-- Waits for any other transaction that holds it.
CREATE OR REPLACE FUNCTION lock_schedule(p_name text) RETURNS SETOF schedule LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule(s.schedule_id) FROM schedule s WHERE s.name = p_name AND s.removed_at IS NULL;
    RETURN QUERY SELECT * FROM schedule s WHERE s.name = p_name AND s.removed_at IS NULL FOR UPDATE;
END $$;
