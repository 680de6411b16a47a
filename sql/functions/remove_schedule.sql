-- Null when there is none of this name.
CREATE OR REPLACE FUNCTION remove_schedule(p_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_schedule bigint;
BEGIN
    PERFORM check_schedule_maker(s.schedule_id) FROM schedule s WHERE s.name = p_name AND s.removed_at IS NULL;
    UPDATE schedule s SET removed_at = clock_timestamp() WHERE s.name = p_name AND s.removed_at IS NULL
    RETURNING s.schedule_id INTO v_schedule;
    RETURN v_schedule;
END $$;
