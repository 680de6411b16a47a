-- Schedules: the program that fires one decides outside what is to be done, and does it by these functions in one transaction,
-- with the schedule's row locked.

-- Refuses a role that may not change a schedule now: it is for its creator, for operators, and while something is due for
-- workers, which fire it.
CREATE OR REPLACE FUNCTION check_schedule(p_schedule bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_schedule schedule;
BEGIN
    SELECT * INTO v_schedule FROM schedule s WHERE s.schedule_id = p_schedule;
    IF v_schedule.created_by = session_user OR role_may(session_user, 'operator')
        OR (v_schedule.removed_at IS NULL AND v_schedule.look_at <= clock_timestamp()
            AND role_may(session_user, 'worker'))
    THEN
        RETURN;
    END IF;
    PERFORM check_owner(format('schedule ''%s''', v_schedule.name), v_schedule.created_by);
END $$;

-- Waits for any other transaction that holds it.
CREATE OR REPLACE FUNCTION lock_schedule(p_name text) RETURNS SETOF schedule LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule(s.schedule_id) FROM schedule s WHERE s.name = p_name AND s.removed_at IS NULL;
    RETURN QUERY SELECT * FROM schedule s WHERE s.name = p_name AND s.removed_at IS NULL FOR UPDATE;
END $$;

-- No row when somebody else is at it, or was.
CREATE OR REPLACE FUNCTION lock_due_schedule(p_schedule bigint) RETURNS SETOF schedule LANGUAGE sql AS $$
    SELECT * FROM schedule s
    WHERE s.schedule_id = p_schedule AND s.removed_at IS NULL AND s.look_at <= clock_timestamp()
    FOR UPDATE SKIP LOCKED
$$;

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

-- Refuses all but its creator and operators.
CREATE OR REPLACE FUNCTION check_schedule_maker(p_schedule bigint) RETURNS void LANGUAGE sql AS $$
    SELECT check_owner(format('schedule ''%s''', s.name), s.created_by) FROM schedule s WHERE s.schedule_id = p_schedule
$$;

CREATE OR REPLACE FUNCTION advance_schedule(
    p_schedule bigint, p_next timestamptz, p_look timestamptz, p_waiting timestamptz, p_waiting_kind text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule(p_schedule);
    UPDATE schedule s SET next_at = p_next, look_at = p_look, waiting_at = p_waiting, waiting_kind = p_waiting_kind
    WHERE s.schedule_id = p_schedule;
END $$;

CREATE OR REPLACE FUNCTION pause_schedule(p_schedule bigint, p_user text, p_reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule_maker(p_schedule);
    UPDATE schedule s SET paused_at = clock_timestamp(), paused_by = user_or_role(p_user), pause_reason = p_reason
    WHERE s.schedule_id = p_schedule AND s.paused_at IS NULL;
END $$;

CREATE OR REPLACE FUNCTION resume_schedule(p_schedule bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule_maker(p_schedule);
    UPDATE schedule s SET paused_at = NULL, paused_by = NULL, pause_reason = NULL WHERE s.schedule_id = p_schedule;
END $$;

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

-- Forgets the schedule's runs that have ended, and answers the others.
CREATE OR REPLACE FUNCTION open_schedule_runs(p_schedule bigint) RETURNS TABLE (run_id text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_schedule(p_schedule);
    DELETE FROM schedule_run r WHERE r.schedule_id = p_schedule AND NOT run_is_open(r.run_id);
    RETURN QUERY SELECT r.run_id FROM schedule_run r WHERE r.schedule_id = p_schedule ORDER BY r.opened_at, r.run_id;
END $$;

-- Writes down the outcome of a due time, and its time; null when the clock has decided about it before.
CREATE OR REPLACE FUNCTION record_schedule_fire(
    p_schedule bigint, p_due timestamptz, p_attempt integer, p_kind text, p_outcome text, p_reason text, p_run text
) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_recorded timestamptz;
BEGIN
    PERFORM check_schedule(p_schedule);
    INSERT INTO schedule_fire (schedule_id, due_at, attempt, kind, outcome, reason, run_id)
    VALUES (p_schedule, p_due, p_attempt, p_kind, p_outcome, p_reason, p_run)
    ON CONFLICT DO NOTHING
    RETURNING recorded_at INTO v_recorded;
    RETURN v_recorded;
END $$;

-- Cancels a run of the schedule that is still open, to make room for the next one.
CREATE OR REPLACE FUNCTION cancel_schedule_run(p_schedule bigint, p_run text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_schedule(p_schedule);
    IF EXISTS (SELECT 1 FROM schedule_run r WHERE r.schedule_id = p_schedule AND r.run_id = p_run) THEN
        PERFORM cancel_work(p_run, NULL, 'the run was cancelled', 20000);
    END IF;
END $$;

-- Stores a run in the name of the schedule's creator, as submit_run() does; it has the project and the user of the
-- schedule, whatever the program says.
CREATE OR REPLACE FUNCTION submit_schedule_run(
    p_schedule bigint, p_run text, p_name text, p_tier integer, p_sha256 text, p_specification text,
    p_specifications text[], p_jobs json
) RETURNS TABLE (outcome text, place integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_schedule schedule;
BEGIN
    PERFORM check_schedule(p_schedule);
    SELECT * INTO v_schedule FROM schedule s WHERE s.schedule_id = p_schedule;
    SELECT s.outcome, s.place INTO outcome, place
    FROM store_run(p_run, v_schedule.project, p_name, v_schedule.user_name, v_schedule.created_by, p_tier, p_sha256,
        p_specification, p_specifications, p_jobs) s;
    IF outcome IN ('stored', 'same') THEN
        INSERT INTO schedule_run (run_id, schedule_id) VALUES (p_run, p_schedule);
    END IF;
    RETURN NEXT;
END $$;
