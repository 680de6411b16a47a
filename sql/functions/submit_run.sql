-- Who submits is who is connected. Only on the owner's connections, which all of one account share, is it what the
-- program says.
CREATE OR REPLACE FUNCTION submit_run(
    p_run text, p_project text, p_name text, p_user text, p_tier integer, p_sha256 text, p_specification text,
    p_specifications text[], p_jobs json
) RETURNS TABLE (outcome text, place integer) LANGUAGE sql AS $$
    SELECT s.outcome, s.place
    FROM store_run(p_run, p_project, p_name, user_or_role(p_user), session_user, p_tier, p_sha256, p_specification,
        p_specifications, p_jobs) s
$$;
