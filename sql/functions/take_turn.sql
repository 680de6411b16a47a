-- Keeps other claims out of a project with a cap, until this transaction ends, so that two can't both take the last place.
-- Answers false when that takes too long: a claim was left open, or many are ahead. Only claims lock these rows; a role
-- that may only read can't.
CREATE OR REPLACE FUNCTION take_turn(p_project integer, p_milliseconds integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_limit text := current_setting('lock_timeout');
    v_setting text;
BEGIN
    v_setting := set_config('lock_timeout', p_milliseconds::text, true);
    PERFORM 1 FROM project_turn t WHERE t.project_id = p_project FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO project_turn VALUES (p_project) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM project_turn t WHERE t.project_id = p_project FOR NO KEY UPDATE;
    END IF;
    v_setting := set_config('lock_timeout', v_limit, true);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;
