-- What any process does now and then: each chore is a statement of its own with bounded work, one process at a time does it,
-- and what fails is written down, and holds up nothing else.

-- Chores that are due. One that failed is tried again after its interval, like one that went well.
CREATE OR REPLACE FUNCTION due_chores() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT c.name FROM chore c
    WHERE NOT coalesce(
        greatest(c.succeeded_at, c.failed_at) BETWEEN clock_timestamp() - make_interval(secs => c.every_seconds)
            AND clock_timestamp(), false)
$$;

-- Does a chore, if it is due or forced and nobody else is at it; answers what it changed, or nothing when it was not done.
-- Nobody waits for the disk: what a crash of the server undoes is due again, and done again. Only shards that were taken
-- from the dead must not be theirs again: somebody may have computed them since.
CREATE OR REPLACE FUNCTION run_chore(p_name text, p_is_forced boolean) RETURNS TABLE (what text, changed bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_start timestamptz := clock_timestamp();
    v_reaped record;
    v_count bigint;
BEGIN
    IF p_name <> 'workers' THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    IF p_is_forced THEN
        PERFORM 1 FROM chore c WHERE c.name = p_name FOR NO KEY UPDATE;
    ELSE
        PERFORM 1 FROM chore c WHERE c.name = p_name AND c.name IN (SELECT due_chores())
        FOR NO KEY UPDATE SKIP LOCKED;
    END IF;
    -- Somebody may have done it between the look and the lock: the row's lock alone does not look at the others' work again.
    IF NOT FOUND OR NOT p_is_forced AND p_name NOT IN (SELECT due_chores()) THEN
        RETURN;
    END IF;
    CASE p_name
    WHEN 'workers' THEN
        SELECT * INTO v_reaped FROM reap_workers(1000, 10000);
        v_count := v_reaped.workers + v_reaped.requeued + v_reaped.held;
        RETURN QUERY VALUES ('workers', v_reaped.workers::bigint), ('requeued', v_reaped.requeued::bigint),
            ('held', v_reaped.held::bigint);
    WHEN 'promotion' THEN v_count := promote_shards(10000, 10);
    WHEN 'tallies' THEN v_count := roll_up(1000);
    WHEN 'gates' THEN v_count := open_due_gates();
    WHEN 'charges' THEN v_count := charge_usage(10000);
    WHEN 'cancellations' THEN v_count := sweep_cancelled_jobs(10000);
    WHEN 'mending' THEN v_count := mend_jobs(1000);
    WHEN 'archive' THEN v_count := move_archived_shards(5000);
    WHEN 'statistics' THEN v_count := refresh_statistics();
    WHEN 'departures' THEN v_count := forget_workers(1000);
    ELSE RAISE EXCEPTION 'there is no chore %', p_name USING ERRCODE = 'invalid_parameter_value';
    END CASE;
    UPDATE chore c SET succeeded_at = clock_timestamp(), changed = v_count,
        seconds = extract(epoch FROM clock_timestamp() - v_start), failed_at = NULL, error = NULL
    WHERE c.name = p_name;
    IF p_name <> 'workers' THEN
        RETURN QUERY SELECT p_name, v_count;
    END IF;
END $$;

-- Writes down that a chore failed that was due; who is at it now goes first.
CREATE OR REPLACE FUNCTION note_chore_failure(p_name text, p_error text) RETURNS void LANGUAGE sql AS $$
    UPDATE chore c SET failed_at = clock_timestamp(), error = left(p_error, 1000)
    WHERE c.name = (
        SELECT l.name FROM chore l WHERE l.name = p_name AND l.name IN (SELECT due_chores()) FOR NO KEY UPDATE SKIP LOCKED)
$$;

-- Switches jobs on of which something is ready although nobody claims it. That can't happen as long as every session reads
-- what is committed; sessions of others may not.
CREATE OR REPLACE FUNCTION mend_jobs(p_limit integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[];
    v_count bigint;
BEGIN
    SELECT array_agg(l.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j JOIN job_tally t USING (job_id)
        WHERE t.ready > 0 AND NOT j.is_runnable AND NOT j.is_cancelled AND j.gate = 'open'
        ORDER BY j.job_id LIMIT p_limit FOR NO KEY UPDATE OF j SKIP LOCKED) l;
    UPDATE job j SET is_runnable = true
    WHERE j.job_id = ANY (v_jobs) AND NOT j.is_runnable AND NOT j.is_cancelled AND j.gate = 'open'
        AND EXISTS (SELECT 1 FROM shard s WHERE s.job_id = j.job_id AND s.state = 'ready');
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Counts the tables that claims work in, where the planner knows nothing of them yet or they have changed much since:
-- autovacuum comes a minute late to a million new shards, and not at all where it is off.
CREATE OR REPLACE FUNCTION refresh_statistics() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_table text;
    v_count bigint := 0;
BEGIN
    FOR v_table IN
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
        WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname IN ('shard', 'job', 'job_tally', 'shard_result')
            AND (c.reltuples < 0 AND pg_relation_size(c.oid) > 0 OR s.n_mod_since_analyze > 5000 + 0.2 * c.reltuples)
    LOOP
        EXECUTE 'ANALYZE ' || v_table;
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;

-- Everything at once, for workers of the release before. A chore that fails takes none of the others with it.
CREATE OR REPLACE FUNCTION reap() RETURNS TABLE (workers integer, requeued integer, held integer, promoted integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_name text;
    v_counts jsonb := '{}';
    v_count record;
BEGIN
    FOR v_name IN SELECT due_chores() LOOP
        BEGIN
            FOR v_count IN SELECT * FROM run_chore(v_name, false) LOOP
                v_counts := v_counts || jsonb_build_object(v_count.what, v_count.changed);
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            PERFORM note_chore_failure(v_name, SQLERRM);
        END;
    END LOOP;
    RETURN QUERY SELECT coalesce((v_counts ->> 'workers')::integer, 0), coalesce((v_counts ->> 'requeued')::integer, 0),
        coalesce((v_counts ->> 'held')::integer, 0), coalesce((v_counts ->> 'promotion')::integer, 0);
END $$;
