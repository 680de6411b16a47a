-- Renews a lease, notes progress, and compares what the worker holds with what stands here.
--
-- Answers one row of kind 'lease' (with whether to drain), and one for each shard that is 'lost', 'cancelled' or
-- 'orphaned'. A lease that ran out is renewed too as long as no reaper has seen it. Progress is written only where
-- nobody else is at the row: a heartbeat waits for no commit. Shards that were claimed long ago and that the worker
-- does not know were claimed by a call whose answer got lost; they go back, before any other shard is locked. The other way
-- round, a shard that the worker has and nobody here knows of was claimed before a crash of the server, which undid the
-- claim: it is the worker's again, unless somebody else has it. p_names, such as "k3f9m2ab.0", tell that it is the same job:
-- in a restored database the number may be another's.
CREATE OR REPLACE FUNCTION heartbeat(
    p_worker bigint, p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_samples integer[],
    p_tokens bigint[], p_note text, p_names text[]
) RETURNS TABLE (
    kind text, ttl_seconds double precision, is_draining boolean, job_id bigint, run_id text, ordinal integer,
    shard_no integer
) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    -- No crash undoes more claims of one shard than were made within a second.
    c_undone CONSTANT integer := 100;
    v_now timestamptz := clock_timestamp();
    v_seconds double precision := observe_time();
    v_worker worker;
    v_orphan record;
    v_given_jobs bigint[];
    v_given_shards integer[];
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE worker w SET seen_at = v_now, seen_seconds = v_seconds, note = p_note,
        lease_until = v_now + make_interval(secs => w.ttl_seconds)
    WHERE w.worker_id = p_worker AND w.incarnation = p_incarnation AND w.state = 'live'
    RETURNING * INTO v_worker;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'worker % was declared dead or has left', p_worker USING ERRCODE = 'EW001';
    END IF;
    RETURN QUERY SELECT 'lease', v_worker.ttl_seconds, v_worker.is_draining, NULL::bigint, NULL::text, NULL::integer,
        NULL::integer;

    SELECT array_agg(s.job_id) AS jobs, array_agg(s.shard_no) AS shards, array_agg(s.epoch) AS epochs INTO v_orphan
    FROM shard s
    WHERE s.worker_id = p_worker AND s.state = 'running' AND s.incarnation = p_incarnation
        AND s.started_at < v_now - make_interval(secs => v_worker.ttl_seconds / 2)
        AND NOT EXISTS (
            SELECT 1 FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
            WHERE s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch);
    IF v_orphan.jobs IS NOT NULL THEN
        SELECT array_agg(g.job_id), array_agg(g.shard_no) INTO v_given_jobs, v_given_shards
        FROM give_back(p_incarnation, v_orphan.jobs, v_orphan.shards, v_orphan.epochs,
            'the worker does not know of this claim', 0) g;
    END IF;

    WITH undone AS MATERIALIZED (
        SELECT s.job_id, s.shard_no, h.epoch
        FROM unnest(p_jobs, p_shards, p_epochs, p_names) AS h (job_id, shard_no, epoch, name)
        JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no
            AND s.epoch BETWEEN h.epoch - c_undone AND h.epoch - 1
        JOIN job j ON j.job_id = s.job_id AND j.run_id || '.' || j.ordinal = h.name
        WHERE s.state::text IN ('ready', 'blocked') AND NOT j.is_cancelled AND j.gate = 'open'
        FOR NO KEY UPDATE OF s SKIP LOCKED)
    UPDATE shard s SET state = 'running', epoch = u.epoch, worker_id = p_worker, incarnation = p_incarnation,
        started_at = v_now, not_before = NULL, samples_done = 0, tokens_done = 0, is_begun = true
    FROM undone u WHERE s.job_id = u.job_id AND s.shard_no = u.shard_no;
    IF FOUND THEN
        PERFORM note_use(p_worker);
    END IF;

    WITH report AS MATERIALIZED (
        SELECT s.job_id, s.shard_no, least(h.samples, s.row_count) AS samples, least(h.tokens, 1000000000000) AS tokens
        FROM unnest(p_jobs, p_shards, p_epochs, p_samples, p_tokens) AS h (job_id, shard_no, epoch, samples, tokens)
        JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
        WHERE s.incarnation = p_incarnation AND s.state::text = 'running'
            AND (s.samples_done, s.tokens_done) <> (least(h.samples, s.row_count), h.tokens)
        FOR NO KEY UPDATE OF s SKIP LOCKED)
    UPDATE shard s SET samples_done = r.samples, tokens_done = r.tokens
    FROM report r WHERE s.job_id = r.job_id AND s.shard_no = r.shard_no;

    RETURN QUERY
        SELECT CASE WHEN s.job_id IS NULL THEN 'lost' ELSE 'cancelled' END, NULL::double precision, NULL::boolean,
            j.job_id, j.run_id, j.ordinal, h.shard_no
        FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
        JOIN job j ON j.job_id = h.job_id
        LEFT JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
            AND s.incarnation = p_incarnation AND s.state IN ('running', 'done')
        WHERE s.job_id IS NULL OR (s.state = 'running' AND j.is_cancelled)
        ORDER BY j.job_id, h.shard_no;
    IF v_given_jobs IS NOT NULL THEN
        RETURN QUERY
            SELECT 'orphaned', NULL::double precision, NULL::boolean, j.job_id, j.run_id, j.ordinal, g.shard_no
            FROM unnest(v_given_jobs, v_given_shards) AS g (job_id, shard_no) JOIN job j USING (job_id)
            ORDER BY j.job_id, g.shard_no;
    END IF;
END $$;

-- For workers of the release before.
CREATE OR REPLACE FUNCTION heartbeat(
    p_worker bigint, p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_samples integer[],
    p_tokens bigint[]
) RETURNS TABLE (
    kind text, ttl_seconds double precision, is_draining boolean, job_id bigint, run_id text, ordinal integer,
    shard_no integer
) LANGUAGE sql AS
    'SELECT * FROM heartbeat(p_worker, p_incarnation, p_jobs, p_shards, p_epochs, p_samples, p_tokens, NULL, NULL)';
