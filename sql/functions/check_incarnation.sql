-- Refuses a role that speaks for a worker which another role registered: incarnations are no secrets, files are named by them.
CREATE OR REPLACE FUNCTION check_incarnation(p_incarnations uuid[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_worker worker;
BEGIN
    SELECT * INTO v_worker FROM worker w
    WHERE w.incarnation = ANY (p_incarnations) AND w.registered_by IS DISTINCT FROM session_user LIMIT 1;
    IF FOUND AND NOT pg_catalog.pg_has_role(session_user, current_user, 'MEMBER') THEN
        RAISE EXCEPTION 'worker % is of role ''%'', not of ''%''', v_worker.worker_id, v_worker.registered_by, session_user
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
