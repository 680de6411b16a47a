CREATE OR REPLACE FUNCTION pause_schedule(p_schedule bigint, p_user text, p_reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule_maker(p_schedule);
    UPDATE schedule s SET paused_at = clock_timestamp(), paused_by = user_or_role(p_user), pause_reason = p_reason
    WHERE s.schedule_id = p_schedule AND s.paused_at IS NULL;
END $$;
