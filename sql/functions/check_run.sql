-- Refuses everybody but the submitter of the run and operators.
CREATE OR REPLACE FUNCTION check_run(p_run text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_run run;
BEGIN
    SELECT * INTO v_run FROM run r WHERE r.run_id = p_run;
    IF FOUND AND v_run.submitted_by IS DISTINCT FROM session_user AND NOT role_may(session_user, 'operator') THEN
        RAISE EXCEPTION 'run % is of %, and role ''%'' is no operator', p_run,
            coalesce(format('role ''%s''', v_run.submitted_by), v_run.user_name), session_user
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
