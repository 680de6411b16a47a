CREATE OR REPLACE FUNCTION replace_schedule(
    p_schedule bigint, p_cron text, p_time_zone text, p_overlap text, p_catch_up integer, p_jitter integer, p_project text,
    p_user text, p_template text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule_maker(p_schedule);
    UPDATE schedule s SET cron = p_cron, time_zone = p_time_zone, overlap = p_overlap, catch_up_seconds = p_catch_up,
        jitter_seconds = p_jitter, project = p_project, user_name = user_or_role(p_user), template = p_template,
        updated_at = clock_timestamp(), created_by = session_user
    WHERE s.schedule_id = p_schedule;
END $$;
