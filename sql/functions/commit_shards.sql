-- In joins on the keys of shards the state is compared as text: so no partial index on it fits, which the planner might
-- read as a whole for each key.
--
-- Giving work back: as a result, as a failure, or untouched. The fence is epoch and incarnation together: after a
-- fail-over the same epoch can be issued twice, the same incarnation can't.

-- Makes results visible, durably: one flush to disk for all of them. Each one is judged by its own fence, epoch and
-- incarnation together; a late result counts as long as nobody else has claimed the shard, also when its worker was
-- declared dead and the shard is held for that.
--
-- A claim that a crash of the server undid, or that a restored database does not know, has an epoch that the shard has not
-- reached. It counts, too, as long as nobody has the shard; its epoch is the shard's from then on. The file's name tells that
-- it is the same job: in a restored database the number may be another's. Such claims are rare, and so are callers to whom
-- a worker does not belong: both are looked for only when something is left over. No shard takes 100 days or has a million
-- million tokens: what says so must not spoil the sums of all.
--
-- The first result of a job fixes its engine, which is that of the worker whose claim it was. A result of another engine is
-- not made visible, unless the job may have several; nor is one of a worker that does not say what its engine is, once the
-- job's is fixed. The engine is written down when a commit finds none, after all locks on shards, in the order of jobs: so a
-- commit waits for nobody but another first commit of the same job.
--
-- Shards are locked in the order of the arrays, which callers sort by job and number; sorting here would cost most commits,
-- of one shard, a tenth of their time.
CREATE OR REPLACE FUNCTION commit_shards(
    p_jobs bigint[], p_shards integer[], p_epochs integer[], p_incarnations uuid[], p_paths text[], p_bytes bigint[],
    p_sha256s text[], p_digests text[], p_samples integer[], p_tokens bigint[], p_seconds double precision[]
) RETURNS TABLE (place integer, outcome text) LANGUAGE plpgsql
-- Rows by their keys, however many there are or statistics say: planning it anew each time costs more than doing it.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
-- Few expressions of PL/pgSQL, as in claim_shards().
DECLARE
    v_now timestamptz := clock_timestamp();
    v_done integer[];
    v_is_again boolean;
    v_is_undone boolean;
    v_new bigint;
    v_unmarked bigint[];
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    LOOP
        WITH mine AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, i.place,
                coalesce(e.is_mixed OR e.engine = w.identity, e.job_id IS NULL AND w.identity IS NULL) AS is_alike
            FROM unnest(p_jobs, p_shards, p_epochs, p_incarnations) WITH ORDINALITY
                AS i (job_id, shard_no, epoch, incarnation, place)
            JOIN shard s USING (job_id, shard_no)
            LEFT JOIN worker w ON w.worker_id = s.worker_id AND w.incarnation = s.incarnation
            LEFT JOIN job_engine e ON e.job_id = s.job_id
            WHERE s.epoch = i.epoch AND s.incarnation = i.incarnation AND s.state IN ('running', 'ready', 'held')
                AND (pg_has_role(session_user, current_user, 'MEMBER') OR w.registered_by = session_user)
            FOR NO KEY UPDATE OF s),
        done AS (
            UPDATE shard s SET state = 'done', samples_done = p_samples[m.place],
                tokens_done = least(p_tokens[m.place], 1000000000000), ended_at = v_now, reason = NULL,
                not_before = NULL
            FROM mine m WHERE m.is_alike AND s.job_id = m.job_id AND s.shard_no = m.shard_no
            RETURNING s.job_id, s.shard_no, s.epoch, s.incarnation, s.worker_id, s.started_at, m.place),
        stored AS (
            INSERT INTO shard_result (
                job_id, shard_no, epoch, incarnation, worker_id, started_at, path, bytes, sha256, digest, samples,
                tokens, seconds)
            SELECT d.job_id, d.shard_no, d.epoch, d.incarnation, d.worker_id, d.started_at, p_paths[d.place],
                p_bytes[d.place], decode(p_sha256s[d.place], 'hex'), p_digests[d.place], p_samples[d.place],
                -- least() would take the bound for NULL.
                CASE WHEN p_tokens[d.place] > 1000000000000 THEN 1000000000000 ELSE p_tokens[d.place] END,
                CASE WHEN p_seconds[d.place] > 1e7 THEN 1e7 ELSE p_seconds[d.place] END
            FROM done d),
        used AS (
            INSERT INTO usage_queue (job_id, worker_id, samples, tokens, seconds, is_result)
            SELECT d.job_id, d.worker_id, sum(p_samples[d.place]), sum(least(p_tokens[d.place], 1000000000000)),
                sum(least(p_seconds[d.place], 1e7)), true
            FROM done d GROUP BY d.job_id, d.worker_id)
        SELECT v_done || array_agg(d.place::integer) INTO v_done FROM done d;
        IF cardinality(v_done) = cardinality(p_jobs) THEN
            outcome := 'committed';
            FOREACH place IN ARRAY v_done LOOP
                RETURN NEXT;
            END LOOP;
            RETURN;
        END IF;
        EXIT WHEN v_is_again;
        v_is_again := true;
        PERFORM check_incarnation(p_incarnations);

        WITH item AS MATERIALIZED (
            SELECT i.job_id, i.shard_no, i.epoch, i.incarnation, w.worker_id
            FROM unnest(p_jobs, p_shards, p_epochs, p_incarnations, p_paths)
                AS i (job_id, shard_no, epoch, incarnation, path)
            JOIN job j USING (job_id) JOIN worker w USING (incarnation)
            -- Workers of an older release leave the job out of the file's own name.
            WHERE i.path IN (
                format('runs/%1$s/%1$s.%2$s/%1$s.%2$s.shard-%3$s.e%4$s.%5$s.h5', j.run_id, j.ordinal, i.shard_no, i.epoch,
                    i.incarnation),
                format('runs/%1$s/%1$s.%2$s/shard-%3$s.e%4$s.%5$s.h5', j.run_id, j.ordinal, i.shard_no, i.epoch,
                    i.incarnation))),
        undone AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, i.epoch, i.incarnation, i.worker_id
            FROM item i JOIN shard s USING (job_id, shard_no)
            WHERE s.epoch BETWEEN i.epoch - 100 AND i.epoch - 1 AND s.state::text IN ('ready', 'blocked')
            ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE OF s),
        noted AS (INSERT INTO worker_use SELECT DISTINCT u.worker_id FROM undone u ON CONFLICT DO NOTHING)
        UPDATE shard s SET state = 'running', epoch = u.epoch, incarnation = u.incarnation, worker_id = u.worker_id,
            started_at = v_now, is_begun = true, not_before = NULL
        FROM undone u WHERE s.job_id = u.job_id AND s.shard_no = u.shard_no;
        v_is_undone := FOUND;

        WITH new AS MATERIALIZED (
            SELECT DISTINCT ON (s.job_id) s.job_id, w.identity
            FROM unnest(p_jobs, p_shards, p_epochs, p_incarnations) WITH ORDINALITY
                AS i (job_id, shard_no, epoch, incarnation, place)
            JOIN shard s USING (job_id, shard_no) JOIN worker w ON w.worker_id = s.worker_id
            WHERE s.epoch = i.epoch AND s.incarnation = i.incarnation AND s.state::text IN ('running', 'ready', 'held')
                AND w.identity IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job_engine e WHERE e.job_id = s.job_id)
            ORDER BY s.job_id, i.place),
        fixed AS (
            INSERT INTO job_engine (job_id, engine) SELECT n.job_id, n.identity FROM new n ORDER BY n.job_id
            ON CONFLICT DO NOTHING)
        SELECT count(*) INTO v_new FROM new n;
        -- Claims go by the jobs' rows. Nobody is waited for: the next commit that is refused makes up for it.
        SELECT array_agg(l.job_id) INTO v_unmarked FROM (
            SELECT j.job_id FROM job j
            WHERE j.job_id = ANY (p_jobs) AND j.engine_mark IS NULL
                AND EXISTS (SELECT 1 FROM job_engine e WHERE e.job_id = j.job_id AND NOT e.is_mixed)
            ORDER BY j.job_id FOR NO KEY UPDATE SKIP LOCKED) l;
        UPDATE job j SET engine_mark = engine_mark(e.engine) FROM job_engine e
        WHERE j.job_id = ANY (v_unmarked) AND e.job_id = j.job_id AND NOT e.is_mixed;
        EXIT WHEN v_new = 0 AND NOT v_is_undone;
    END LOOP;

    RETURN QUERY
        SELECT i.place::integer, CASE
            WHEN i.place = ANY (coalesce(v_done, '{}')) THEN 'committed'
            WHEN r.epoch = i.epoch AND r.incarnation = i.incarnation AND r.path = i.path
                AND r.sha256 = decode(i.sha256, 'hex') THEN 'already'
            WHEN s.epoch = i.epoch AND s.incarnation = i.incarnation AND s.state IN ('running', 'ready', 'held')
                AND w.identity IS NOT NULL THEN 'unlike'
            -- What workers that do not say what their engine is understand, too.
            ELSE 'fenced' END
        FROM unnest(p_jobs, p_shards, p_epochs, p_incarnations, p_paths, p_sha256s) WITH ORDINALITY
            AS i (job_id, shard_no, epoch, incarnation, path, sha256, place)
        LEFT JOIN shard_result r ON r.job_id = i.job_id AND r.shard_no = i.shard_no
        LEFT JOIN shard s ON s.job_id = i.job_id AND s.shard_no = i.shard_no
        LEFT JOIN worker w ON w.worker_id = s.worker_id
        ORDER BY i.place;
END $$;
