-- Stores a run in the name of the schedule's creator, as submit_run() does; it has the project and the user of the
-- schedule, whatever the program says.
CREATE OR REPLACE FUNCTION submit_schedule_run(
    p_schedule bigint, p_run text, p_name text, p_tier integer, p_sha256 text, p_specification text,
    p_specifications text[], p_jobs json
) RETURNS TABLE (outcome text, place integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_schedule schedule;
BEGIN
    PERFORM check_schedule(p_schedule);
    SELECT * INTO v_schedule FROM schedule s WHERE s.schedule_id = p_schedule;
    SELECT s.outcome, s.place INTO outcome, place
    FROM store_run(p_run, v_schedule.project, p_name, v_schedule.user_name, v_schedule.created_by, p_tier, p_sha256,
        p_specification, p_specifications, p_jobs) s;
    IF outcome IN ('stored', 'same') THEN
        INSERT INTO schedule_run (run_id, schedule_id) VALUES (p_run, p_schedule);
    END IF;
    RETURN NEXT;
END $$;
