CREATE OR REPLACE FUNCTION advance_schedule(
    p_schedule bigint, p_next timestamptz, p_look timestamptz, p_waiting timestamptz, p_waiting_kind text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule(p_schedule);
    UPDATE schedule s SET next_at = p_next, look_at = p_look, waiting_at = p_waiting, waiting_kind = p_waiting_kind
    WHERE s.schedule_id = p_schedule;
END $$;
