CREATE OR REPLACE FUNCTION resume_schedule(p_schedule bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule_maker(p_schedule);
    UPDATE schedule s SET paused_at = NULL, paused_by = NULL, pause_reason = NULL WHERE s.schedule_id = p_schedule;
END $$;
