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
