-- Refuses everybody but the maker of something and operators.
CREATE OR REPLACE FUNCTION check_owner(p_what text, p_role name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_role IS DISTINCT FROM session_user AND NOT role_may(session_user, 'operator') THEN
        RAISE EXCEPTION '% is of role ''%'', and role ''%'' is no operator', p_what, coalesce(p_role, '(unknown)'),
            session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
