-- Forgets the schedule's runs that have ended, and answers the others.
CREATE OR REPLACE FUNCTION open_schedule_runs(p_schedule bigint) RETURNS TABLE (run_id text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_schedule(p_schedule);
    DELETE FROM schedule_run r WHERE r.schedule_id = p_schedule AND NOT run_is_open(r.run_id);
    RETURN QUERY SELECT r.run_id FROM schedule_run r WHERE r.schedule_id = p_schedule ORDER BY r.opened_at, r.run_id;
END $$;
