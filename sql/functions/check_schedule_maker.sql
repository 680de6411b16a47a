-- Refuses all but its creator and operators.
CREATE OR REPLACE FUNCTION check_schedule_maker(p_schedule bigint) RETURNS void LANGUAGE sql AS $$
    SELECT check_owner(format('schedule ''%s''', s.name), s.created_by) FROM schedule s WHERE s.schedule_id = p_schedule
$$;
