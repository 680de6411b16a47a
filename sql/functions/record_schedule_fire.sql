-- Writes down the outcome of a due time, and its time; null when the clock has decided about it before.
CREATE OR REPLACE FUNCTION record_schedule_fire(
    p_schedule bigint, p_due timestamptz, p_attempt integer, p_kind text, p_outcome text, p_reason text, p_run text
) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_recorded timestamptz;
BEGIN
    PERFORM check_schedule(p_schedule);
    INSERT INTO schedule_fire (schedule_id, due_at, attempt, kind, outcome, reason, run_id)
    VALUES (p_schedule, p_due, p_attempt, p_kind, p_outcome, p_reason, p_run)
    ON CONFLICT DO NOTHING
    RETURNING recorded_at INTO v_recorded;
    RETURN v_recorded;
END $$;
