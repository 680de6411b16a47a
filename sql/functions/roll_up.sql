-- Folds what was appended into the tallies, of so many jobs at a time; all lines of a job at once, or counts could fall
-- below zero on the way. The chore's row keeps others out. Runs that somebody waits for are due for a look when one of
-- their jobs has ended.
CREATE OR REPLACE FUNCTION roll_up(p_jobs integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    WITH taken AS (
        DELETE FROM tally_change c
        WHERE c.job_id IN (SELECT d.job_id FROM tally_change d GROUP BY d.job_id LIMIT p_jobs)
        RETURNING c.*),
    news AS (
        SELECT c.job_id, sum(c.blocked) AS blocked, sum(c.ready) AS ready, sum(c.running) AS running,
            sum(c.done) AS done, sum(c.failed) AS failed, sum(c.cancelled) AS cancelled, sum(c.held) AS held,
            sum(c.samples_done) AS samples_done, sum(c.tokens_done) AS tokens_done,
            min(c.changed_at) FILTER (WHERE c.running > 0) AS started_at,
            max(c.changed_at) FILTER (WHERE c.done + c.failed + c.cancelled + c.held > 0) AS ended_at
        FROM taken c GROUP BY c.job_id),
    folded AS (
        UPDATE job_tally t SET
            blocked = t.blocked + n.blocked, ready = t.ready + n.ready, running = t.running + n.running,
            done = t.done + n.done, failed = t.failed + n.failed, cancelled = t.cancelled + n.cancelled,
            held = t.held + n.held, samples_done = t.samples_done + n.samples_done,
            tokens_done = t.tokens_done + n.tokens_done, started_at = least(t.started_at, n.started_at),
            ended_at = greatest(t.ended_at, n.ended_at)
        FROM news n WHERE t.job_id = n.job_id
        RETURNING t.job_id, t.blocked + t.ready + t.running + t.held = 0 AS is_over),
    due AS (
        -- One that a submission has locked is looked at within a minute anyway.
        UPDATE needed_run r SET is_due = true
        WHERE r.run_id IN (
            SELECT n.run_id FROM needed_run n
            WHERE NOT n.is_due AND n.run_id IN (
                SELECT j.run_id FROM folded f JOIN job j USING (job_id) WHERE f.is_over)
            FOR UPDATE SKIP LOCKED))
    SELECT count(*) INTO v_count FROM folded;
    RETURN v_count;
END $$;
