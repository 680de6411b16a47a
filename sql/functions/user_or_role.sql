-- What is written down as the user: who is connected. On the owner's connections, which everybody of one account shares,
-- what the program says.
CREATE OR REPLACE FUNCTION user_or_role(p_user text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN pg_catalog.pg_has_role(session_user, current_user, 'MEMBER') THEN p_user ELSE session_user::text END
$$;
