-- Null when the name is taken.
CREATE OR REPLACE FUNCTION add_schedule(
    p_name text, p_cron text, p_time_zone text, p_overlap text, p_catch_up integer, p_jitter integer, p_project text,
    p_user text, p_template text
) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO schedule (
        name, cron, time_zone, overlap, catch_up_seconds, jitter_seconds, project, user_name, template, look_at)
    VALUES (
        p_name, p_cron, p_time_zone, p_overlap, p_catch_up, p_jitter, p_project, user_or_role(p_user), p_template,
        clock_timestamp())
    ON CONFLICT (name) WHERE removed_at IS NULL DO NOTHING
    RETURNING schedule_id
$$;
