-- Who is alive, and what happens to the shards of those who are not. Leases run in observed time: see queue_clock.

-- The observed time, after counting what has passed since the last look. Only now and then somebody writes it down, and
-- nobody waits for that.
CREATE OR REPLACE FUNCTION observe_time() RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_clock queue_clock;
    v_passed double precision;
    v_shortest double precision;
BEGIN
    SELECT * INTO STRICT v_clock FROM queue_clock;
    v_passed := extract(epoch FROM v_now - v_clock.ticked_at)::double precision;
    IF v_passed >= 0 AND v_passed < v_clock.cap_seconds / 4 THEN
        RETURN v_clock.observed_seconds + v_passed;
    END IF;
    v_passed := least(greatest(v_passed, 0), v_clock.cap_seconds);
    PERFORM 1 FROM queue_clock FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        SELECT min(w.ttl_seconds) / 3 INTO v_shortest FROM worker w WHERE w.state = 'live';
        -- Somebody else may have come first.
        UPDATE queue_clock c SET observed_seconds = v_clock.observed_seconds + v_passed, ticked_at = v_now,
            cap_seconds = least(20, greatest(0.3, coalesce(v_shortest, 20)))
        WHERE c.ticked_at = v_clock.ticked_at;
    END IF;
    RETURN v_clock.observed_seconds + v_passed;
END $$;

-- A lease runs from its registration on, and is never shorter than three looks at the clock; one that is shorter than any
-- worker needs does not slow the time of all others.
CREATE OR REPLACE FUNCTION begin_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.seen_seconds := observe_time();
    UPDATE queue_clock c SET cap_seconds = greatest(0.3, NEW.ttl_seconds / 3)
    WHERE c.cap_seconds > greatest(0.3, NEW.ttl_seconds / 3);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER lease_begun BEFORE INSERT ON worker FOR EACH ROW EXECUTE FUNCTION begin_lease();

-- Remembers that a worker has claimed something: its row is part of the history from then on.
CREATE OR REPLACE FUNCTION note_use(p_worker bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO worker_use VALUES (p_worker) ON CONFLICT DO NOTHING
$$;

-- Forgets workers that left a month ago without ever having claimed anything.
CREATE OR REPLACE FUNCTION forget_workers(p_limit integer) RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    c_kept CONSTANT interval := '30 days';
    v_count bigint;
BEGIN
    DELETE FROM worker w WHERE w.worker_id IN (
        SELECT e.worker_id FROM worker e
        WHERE e.state <> 'live' AND e.ended_at < clock_timestamp() - c_kept
            AND NOT EXISTS (SELECT 1 FROM worker_use u WHERE u.worker_id = e.worker_id)
        ORDER BY e.ended_at LIMIT p_limit FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

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

-- Gives back what the worker still has and ends its lease; saying good-bye twice does no harm. The note says why, where
-- it was not asked to.
CREATE OR REPLACE FUNCTION deregister_worker(p_worker bigint, p_incarnation uuid, p_note text) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    v_held record;
BEGIN
    PERFORM check_incarnation(ARRAY[p_incarnation]);
    UPDATE worker w SET state = 'left', ended_at = clock_timestamp(), note = p_note
    WHERE w.worker_id = p_worker AND w.incarnation = p_incarnation AND w.state = 'live';
    SELECT array_agg(s.job_id) AS jobs, array_agg(s.shard_no) AS shards, array_agg(s.epoch) AS epochs INTO v_held
    FROM shard s WHERE s.worker_id = p_worker AND s.state = 'running' AND s.incarnation = p_incarnation;
    IF v_held.jobs IS NOT NULL THEN
        PERFORM 1 FROM give_back(p_incarnation, v_held.jobs, v_held.shards, v_held.epochs,
            coalesce('the worker left: ' || p_note, 'the worker left'), 2000);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION deregister_worker(p_worker bigint, p_incarnation uuid) RETURNS void LANGUAGE sql
AS 'SELECT deregister_worker(p_worker, p_incarnation, NULL)';

-- Declares workers dead whose lease ran out and takes the shards of all dead workers back, so many at a time. A lost worker
-- burns no attempt, but the third one that is lost while it computes a shard holds it; what it had only fetched is under no
-- suspicion. Whatever is locked by others waits for the next round.
CREATE OR REPLACE FUNCTION reap_workers(p_workers integer, p_shards integer)
RETURNS TABLE (workers integer, requeued integer, held integer) LANGUAGE plpgsql
-- By keys; a plan for some hundred orphans would look for each of them in all shards of its job.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    c_poison_losses CONSTANT integer := 3;
    v_now timestamptz := clock_timestamp();
    v_seconds double precision := observe_time();
    v_workers integer;
    v_orphan record;
    v_requeued integer := 0;
    v_held integer := 0;
BEGIN
    WITH silent AS MATERIALIZED (
        SELECT w.worker_id FROM worker w
        WHERE w.state = 'live' AND v_seconds - w.seen_seconds > w.ttl_seconds
        ORDER BY w.worker_id LIMIT p_workers FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE worker w SET state = 'dead', ended_at = v_now
    FROM silent WHERE w.worker_id = silent.worker_id;
    GET DIAGNOSTICS v_workers = ROW_COUNT;

    SELECT array_agg(o.job_id) AS jobs, array_agg(o.shard_no) AS shards INTO v_orphan FROM (
        SELECT s.job_id, s.shard_no FROM shard s JOIN worker w USING (worker_id) JOIN job j USING (job_id)
        WHERE s.state = 'running' AND w.state <> 'live'
        ORDER BY s.job_id, s.shard_no LIMIT p_shards FOR NO KEY UPDATE OF j SKIP LOCKED) o;
    IF v_orphan.jobs IS NOT NULL THEN
        PERFORM wake_jobs(v_orphan.jobs);
        WITH orphan AS MATERIALIZED (
            SELECT s.job_id, s.shard_no, j.is_cancelled, j.cancel_reason
            FROM unnest(v_orphan.jobs, v_orphan.shards) AS o (job_id, shard_no)
            JOIN shard s USING (job_id, shard_no) JOIN worker w USING (worker_id) JOIN job j USING (job_id)
            WHERE s.state::text = 'running' AND w.state <> 'live'
            FOR NO KEY UPDATE OF s SKIP LOCKED),
        verdict AS MATERIALIZED (
            SELECT o.job_id, o.shard_no, o.cancel_reason, s.losses + s.is_begun::integer AS losses, CASE
                WHEN o.is_cancelled THEN 'cancelled'
                WHEN s.is_begun AND s.losses + 1 >= c_poison_losses THEN 'held'
                ELSE 'ready' END::shard_state AS state
            FROM orphan o JOIN shard s USING (job_id, shard_no)),
        taken AS (
            UPDATE shard s SET state = v.state, losses = v.losses, samples_done = 0, tokens_done = 0,
                ended_at = CASE WHEN v.state <> 'ready' THEN v_now END,
                reason = CASE v.state WHEN 'cancelled' THEN coalesce(v.cancel_reason, 'the run was cancelled')
                    WHEN 'held' THEN 'suspected poison: '
                        || v.losses || ' workers died while they had this shard' END
            FROM verdict v WHERE s.job_id = v.job_id AND s.shard_no = v.shard_no
            RETURNING s.job_id, s.shard_no, s.epoch, s.worker_id, s.started_at, s.state),
        logged AS (
            INSERT INTO attempt (job_id, shard_no, epoch, outcome, error, worker_id, started_at)
            SELECT t.job_id, t.shard_no, t.epoch, 'lost',
                CASE w.state WHEN 'left' THEN 'the worker left' ELSE 'the worker''s lease ran out' END, t.worker_id,
                t.started_at
            FROM taken t JOIN worker w USING (worker_id))
        SELECT count(*) FILTER (WHERE t.state = 'ready'), count(*) FILTER (WHERE t.state = 'held')
        INTO v_requeued, v_held FROM taken t;
    END IF;
    RETURN QUERY SELECT v_workers, v_requeued, v_held;
END $$;
