-- Cancels a run of the schedule that is still open, to make room for the next one.
CREATE OR REPLACE FUNCTION cancel_schedule_run(p_schedule bigint, p_run text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule(p_schedule);
    IF EXISTS (SELECT 1 FROM schedule_run r WHERE r.schedule_id = p_schedule AND r.run_id = p_run) THEN
        PERFORM cancel_work(p_run, NULL, 'the run was cancelled', 20000);
    END IF;
END $$;
