-- The store that this database belongs to, and results that count no more.

-- Which database this is, and the adoption in force; its columns are null before the first one.
CREATE OR REPLACE FUNCTION database_identity() RETURNS TABLE (
    system_identifier bigint, database_oid bigint, database_name text, store_uuid uuid, database_uuid uuid,
    adopted_system bigint, adopted_oid bigint, path text, adopted_by text, adopted_at timestamptz
) LANGUAGE sql STABLE AS $$
    SELECT s.system_identifier, d.oid::int8, d.datname::text, i.store_uuid, i.database_uuid, i.system_identifier,
        i.database_oid::int8, i.path, i.adopted_by, i.adopted_at
    FROM pg_control_system() s
    JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN (SELECT * FROM store_identity a ORDER BY a.adoption_id DESC LIMIT 1) i ON true
$$;

-- Ties this database to a store. With p_only_first a store that the database belongs to already stays: several that
-- start at once on a new database come to the same one.
CREATE OR REPLACE FUNCTION adopt_store(p_store uuid, p_path text, p_user text, p_only_first boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE store_identity IN EXCLUSIVE MODE;
    IF p_only_first AND EXISTS (SELECT 1 FROM store_identity) THEN
        RETURN;
    END IF;
    INSERT INTO store_identity (store_uuid, system_identifier, database_oid, path, adopted_by)
    SELECT p_store, s.system_identifier, d.oid, p_path, p_user
    FROM pg_control_system() s JOIN pg_database d ON d.datname = current_database();
END $$;

-- Takes results of one job out: their rows move to withdrawn_result, and the shards can be computed again, or with
-- p_again false are cancelled together with the job. Of each only the result of the given claim is meant. The epoch stays,
-- so that the next result has another name; the incarnation does not, so that the old claim can't commit again.
-- Answers the numbers of the shards; no row is null where there is no such job.
CREATE OR REPLACE FUNCTION withdraw_results(
    p_run text, p_ordinal integer, p_shards integer[], p_epochs integer[], p_incarnations uuid[], p_reasons text[],
    p_user text, p_again boolean
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[] := lock_jobs(p_run, p_ordinal);
    v_withdrawn integer[];
BEGIN
    PERFORM check_run(p_run);
    p_user := user_or_role(p_user);
    IF v_jobs IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT p_again THEN
        UPDATE job j SET is_cancelled = true, cancel_reason = 'its results were removed by ' || p_user,
            is_runnable = false, gate = 'open', gate_reason = NULL
        WHERE j.job_id = ANY (v_jobs) AND NOT j.is_cancelled;
        UPDATE run r SET cancelled_at = clock_timestamp()
        WHERE r.run_id = p_run AND r.cancelled_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM job j WHERE j.run_id = p_run AND NOT j.is_cancelled);
    END IF;
    PERFORM permit_history_move();
    WITH item AS (
        SELECT i.* FROM unnest(p_shards, p_epochs, p_incarnations, p_reasons)
            AS i (shard_no, epoch, incarnation, reason)),
    gone AS (
        DELETE FROM shard_result r USING item i
        WHERE r.job_id = v_jobs[1] AND r.shard_no = i.shard_no AND r.epoch = i.epoch AND r.incarnation = i.incarnation
        RETURNING r.*, i.reason),
    kept AS (
        INSERT INTO withdrawn_result (
            job_id, shard_no, epoch, samples, incarnation, worker_id, bytes, tokens, seconds, started_at, committed_at,
            sha256, path, digest, reason, withdrawn_by)
        SELECT g.job_id, g.shard_no, g.epoch, g.samples, g.incarnation, g.worker_id, g.bytes, g.tokens, g.seconds,
            g.started_at, g.committed_at, g.sha256, g.path, g.digest, g.reason, p_user
        FROM gone g RETURNING job_id, shard_no, reason),
    changed AS (
        UPDATE shard s SET incarnation = gen_random_uuid(), samples_done = 0, tokens_done = 0, failures = 0, losses = 0,
            state = CASE WHEN j.is_cancelled THEN 'cancelled' ELSE 'ready' END::shard_state,
            reason = CASE WHEN j.is_cancelled THEN k.reason END,
            ended_at = CASE WHEN j.is_cancelled THEN clock_timestamp() END
        FROM kept k JOIN job j USING (job_id)
        WHERE s.job_id = k.job_id AND s.shard_no = k.shard_no
        RETURNING s.shard_no)
    SELECT array_agg(c.shard_no ORDER BY c.shard_no) INTO v_withdrawn FROM changed c;
    PERFORM forbid_history_move();
    PERFORM unfix_engines(v_jobs);
    PERFORM wake_jobs(v_jobs);
    RETURN coalesce(v_withdrawn, '{}');
END $$;

-- Brings an archived run back into the tables that claims work in, so that it can be changed again. Answers whether it
-- was archived; null where there is no such run.
CREATE OR REPLACE FUNCTION restore_run(p_run text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_jobs bigint[];
    v_archived_at timestamptz;
BEGIN
    PERFORM check_run(p_run);
    SELECT r.archived_at INTO v_archived_at FROM run r WHERE r.run_id = p_run FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF v_archived_at IS NULL THEN
        RETURN false;
    END IF;
    SELECT array_agg(l.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j WHERE j.run_id = p_run ORDER BY j.job_id FOR NO KEY UPDATE) l;
    PERFORM permit_history_move();
    -- The trigger counts what comes back as new, but the tallies have it still. What had not moved yet stays where it is.
    WITH moved AS (DELETE FROM archived_shard s WHERE s.job_id = ANY (v_jobs) RETURNING s.*),
    back AS (INSERT INTO shard SELECT * FROM moved)
    INSERT INTO tally_change (
        job_id, blocked, ready, running, done, failed, cancelled, held, samples_done, tokens_done)
    SELECT s.job_id,
        -count(*) FILTER (WHERE s.state = 'blocked'), -count(*) FILTER (WHERE s.state = 'ready'),
        -count(*) FILTER (WHERE s.state = 'running'), -count(*) FILTER (WHERE s.state = 'done'),
        -count(*) FILTER (WHERE s.state = 'failed'), -count(*) FILTER (WHERE s.state = 'cancelled'),
        -count(*) FILTER (WHERE s.state = 'held'), -sum(s.samples_done), -sum(s.tokens_done)
    FROM moved s GROUP BY s.job_id;
    WITH moved AS (DELETE FROM archived_result r WHERE r.job_id = ANY (v_jobs) RETURNING r.*)
    INSERT INTO shard_result SELECT * FROM moved;
    WITH moved AS (DELETE FROM archived_attempt a WHERE a.job_id = ANY (v_jobs) RETURNING a.*)
    INSERT INTO attempt OVERRIDING SYSTEM VALUE SELECT * FROM moved;
    PERFORM forbid_history_move();
    UPDATE run r SET archived_at = NULL, is_moved = true WHERE r.run_id = p_run;
    RETURN true;
END $$;
