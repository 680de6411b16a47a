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

-- Records a failed attempt. The next one comes after min(2^n * 5 s, 10 min) with full jitter, as 'blocked' until then.
-- Where somebody else has the job locked for seconds, it is an error: then the caller gives the shard back.
-- One failed shard too many holds the job: whatever is wrong is probably wrong with the rest, too.
--
-- A shard is given up after max_attempts failures. Where other workers could take it, the one that failed it leaves it to
-- them for half a minute more than the wait, and failures of one worker alone count half: its node may be what is wrong.
CREATE OR REPLACE FUNCTION fail_shard(
    p_job bigint, p_shard integer, p_epoch integer, p_incarnation uuid, p_error text, p_is_permanent boolean,
    p_seconds double precision
) RETURNS TABLE (outcome text, retry_seconds double precision) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_job job;
    v_shard shard;
    c_avoid CONSTANT double precision := 30;
    v_now timestamptz := clock_timestamp();
    v_wait double precision;
    v_failed bigint;
    v_has_others boolean;
    v_is_alone boolean;
    v_limit text := current_setting('lock_timeout');
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    p_seconds := least(p_seconds, 1e7);
    PERFORM set_config('lock_timeout', '2000', true);
    -- Shared with other failures, but not with a cancel: it must not miss a shard that becomes blocked beside it.
    -- Where failures are counted, one comes after the other.
    IF EXISTS (SELECT 1 FROM job j WHERE j.job_id = p_job AND j.max_failures IS NOT NULL) THEN
        SELECT * INTO v_job FROM job j WHERE j.job_id = p_job FOR NO KEY UPDATE;
    ELSE
        SELECT * INTO v_job FROM job j WHERE j.job_id = p_job FOR SHARE;
    END IF;
    PERFORM set_config('lock_timeout', v_limit, true);
    SELECT * INTO v_shard FROM shard s
    WHERE s.job_id = p_job AND s.shard_no = p_shard AND s.epoch = p_epoch AND s.incarnation = p_incarnation
        AND s.state = 'running'
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'fenced', NULL::double precision;
        RETURN;
    END IF;
    INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at, seconds)
    VALUES (p_job, p_shard, p_epoch, 'failed', p_error, v_shard.worker_id, v_shard.started_at, p_seconds);
    IF p_seconds IS NOT NULL THEN
        INSERT INTO usage_queue (job_id, worker_id, samples, tokens, seconds, is_result)
        VALUES (p_job, v_shard.worker_id, 0, 0, p_seconds, false);
    END IF;
    v_has_others := EXISTS (
        SELECT 1 FROM worker w
        WHERE w.state = 'live' AND NOT w.is_draining AND w.worker_id <> v_shard.worker_id
            AND v_job.need_labels <@ w.labels AND v_job.need_gpu_mb <= w.gpu_mb
            AND (v_job.need_device IS NULL OR v_job.need_device = w.device_kind)
            AND NOT EXISTS (
                SELECT 1 FROM job_engine e
                WHERE e.job_id = p_job AND NOT e.is_mixed AND e.engine IS DISTINCT FROM w.identity));
    v_is_alone := v_has_others AND NOT EXISTS (
        SELECT 1 FROM attempt a
        WHERE a.job_id = p_job AND a.shard_no = p_shard AND a.outcome = 'failed' AND a.worker_id <> v_shard.worker_id);
    IF v_job.is_cancelled THEN
        UPDATE shard s SET state = 'cancelled', reason = coalesce(v_job.cancel_reason, 'the run was cancelled'),
            ended_at = clock_timestamp(),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'cancelled', NULL::double precision;
    ELSIF p_is_permanent OR v_shard.failures + 1 >= v_job.max_attempts * (1 + v_is_alone::integer) THEN
        UPDATE shard s SET state = 'failed', reason = p_error, ended_at = clock_timestamp(),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        IF v_job.max_failures IS NOT NULL AND v_job.gate = 'open' THEN
            SELECT c.failed INTO v_failed FROM job_counts c WHERE c.job_id = p_job;
            IF v_failed > v_job.max_failures THEN
                UPDATE job j SET is_runnable = false, gate = 'held',
                    gate_reason = v_failed || ' shards failed, max_failures is ' || v_job.max_failures
                WHERE j.job_id = p_job;
            END IF;
        END IF;
        RETURN QUERY SELECT 'failed', NULL::double precision;
    ELSE
        v_wait := least(600, 5 * 2 ^ least(v_shard.failures, 10)) * random();
        UPDATE shard s SET state = 'blocked', not_before = v_now + make_interval(secs => v_wait),
            failures = s.failures + 1, samples_done = 0, tokens_done = 0,
            avoid_worker = CASE WHEN v_has_others THEN s.worker_id END,
            avoid_until = CASE WHEN v_has_others THEN v_now + make_interval(secs => v_wait + c_avoid) END
        WHERE s.job_id = p_job AND s.shard_no = p_shard;
        RETURN QUERY SELECT 'retry', v_wait;
    END IF;
END $$;

-- Gives shards back that were not computed. The epoch stays, so that a result which comes after all is still good.
-- A commit that is under way goes first. Where somebody else has the job locked for longer than p_milliseconds (0 for not
-- waiting at all), the shard stays the caller's for now, as one that was not begun: an idle worker may take it over, and
-- what is left goes back with a later heartbeat, or when the worker is gone.
CREATE OR REPLACE FUNCTION give_back(
    p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_note text, p_milliseconds integer
) RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    v_limit text := current_setting('lock_timeout');
    v_jobs bigint[];
BEGIN
    BEGIN
        IF p_milliseconds > 0 THEN
            PERFORM set_config('lock_timeout', p_milliseconds::text, true);
            PERFORM wake_jobs(p_jobs);
            PERFORM set_config('lock_timeout', v_limit, true);
            v_jobs := p_jobs;
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        NULL;
    END;
    IF v_jobs IS NULL THEN
        SELECT coalesce(array_agg(l.job_id), '{}') INTO v_jobs FROM (
            SELECT j.job_id FROM job j WHERE j.job_id = ANY (p_jobs) ORDER BY j.job_id FOR NO KEY UPDATE SKIP LOCKED) l;
        PERFORM wake_jobs(v_jobs);
    END IF;
    RETURN QUERY
        WITH held AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, j.is_cancelled, j.cancel_reason
            FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
            JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
            JOIN job j ON j.job_id = s.job_id
            WHERE s.incarnation = p_incarnation AND s.state::text = 'running' AND j.job_id = ANY (v_jobs)
            ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE OF s),
        given AS (
            UPDATE shard s SET samples_done = 0, tokens_done = 0,
                state = CASE WHEN h.is_cancelled THEN 'cancelled' ELSE 'ready' END::shard_state,
                reason = CASE WHEN h.is_cancelled THEN coalesce(h.cancel_reason, 'the run was cancelled') END,
                ended_at = CASE WHEN h.is_cancelled THEN clock_timestamp() END
            FROM held h WHERE s.job_id = h.job_id AND s.shard_no = h.shard_no
            RETURNING s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at, s.state)
        INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
        SELECT g.job_id, g.shard_no, g.epoch, CASE WHEN g.state = 'cancelled' THEN 'cancelled' ELSE 'released' END,
            p_note, g.worker_id, g.started_at
        FROM given g
        RETURNING job_id, shard_no;
    IF p_jobs <@ v_jobs THEN
        RETURN;
    END IF;
    WITH held AS MATERIALIZED (
        SELECT s.job_id, s.shard_no
        FROM unnest(p_jobs, p_shards, p_epochs) AS h (job_id, shard_no, epoch)
        JOIN shard s ON s.job_id = h.job_id AND s.shard_no = h.shard_no AND s.epoch = h.epoch
        WHERE s.incarnation = p_incarnation AND s.state::text = 'running' AND s.job_id <> ALL (v_jobs)
        ORDER BY s.job_id, s.shard_no FOR NO KEY UPDATE OF s)
    UPDATE shard s SET samples_done = 0, tokens_done = 0, is_begun = false
    FROM held h WHERE s.job_id = h.job_id AND s.shard_no = h.shard_no;
END $$;

-- The note says why, where that is of use to others.
CREATE OR REPLACE FUNCTION release_shards(
    p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[], p_note text
) RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    RETURN QUERY SELECT * FROM give_back(p_incarnation, p_jobs, p_shards, p_epochs, p_note, 2000);
END $$;

-- For workers of the release before.
CREATE OR REPLACE FUNCTION release_shards(p_incarnation uuid, p_jobs bigint[], p_shards integer[], p_epochs integer[])
RETURNS TABLE (job_id bigint, shard_no integer) LANGUAGE sql
AS 'SELECT * FROM release_shards(p_incarnation, p_jobs, p_shards, p_epochs, NULL)';
