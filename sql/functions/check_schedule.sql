-- Refuses a role that may not change a schedule now: it is for its creator, for operators, and while something is due for
-- workers, which fire it.
CREATE OR REPLACE FUNCTION check_schedule(p_schedule bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_schedule schedule;
BEGIN
    SELECT * INTO v_schedule FROM schedule s WHERE s.schedule_id = p_schedule;
    IF v_schedule.created_by = session_user OR role_may(session_user, 'operator')
        OR (v_schedule.removed_at IS NULL AND v_schedule.look_at <= clock_timestamp()
            AND role_may(session_user, 'worker'))
    THEN
        RETURN;
    END IF;
    PERFORM check_owner(format('schedule ''%s''', v_schedule.name), v_schedule.created_by);
END $$;
