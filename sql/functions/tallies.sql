-- Every statement that changes shards appends what it changed to tally_change (a trigger does it, so nobody can forget);
-- roll_up() folds these lines into one row a job. Who reads adds the lines that are still there: the counts are exact at
-- any moment, and no two transactions ever wait for one counter.
CREATE OR REPLACE FUNCTION note_new_shards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_change (
        job_id, blocked, ready, running, done, failed, cancelled, held, samples_done, tokens_done)
    SELECT n.job_id,
        count(*) FILTER (WHERE n.state = 'blocked'), count(*) FILTER (WHERE n.state = 'ready'),
        count(*) FILTER (WHERE n.state = 'running'), count(*) FILTER (WHERE n.state = 'done'),
        count(*) FILTER (WHERE n.state = 'failed'), count(*) FILTER (WHERE n.state = 'cancelled'),
        count(*) FILTER (WHERE n.state = 'held'), sum(n.samples_done), sum(n.tokens_done)
    FROM new_rows n GROUP BY n.job_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_changed_shards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_change (
        job_id, blocked, ready, running, done, failed, cancelled, held, samples_done, tokens_done)
    SELECT c.job_id,
        sum(CASE c.state WHEN 'blocked' THEN c.sign ELSE 0 END), sum(CASE c.state WHEN 'ready' THEN c.sign ELSE 0 END),
        sum(CASE c.state WHEN 'running' THEN c.sign ELSE 0 END), sum(CASE c.state WHEN 'done' THEN c.sign ELSE 0 END),
        sum(CASE c.state WHEN 'failed' THEN c.sign ELSE 0 END),
        sum(CASE c.state WHEN 'cancelled' THEN c.sign ELSE 0 END), sum(CASE c.state WHEN 'held' THEN c.sign ELSE 0 END),
        sum(c.sign * c.samples_done), sum(c.sign * c.tokens_done)
    FROM (
        SELECT n.job_id, n.state, n.samples_done, n.tokens_done, 1 AS sign FROM new_rows n
        UNION ALL
        SELECT o.job_id, o.state, o.samples_done, o.tokens_done, -1 FROM old_rows o) c
    GROUP BY c.job_id;
    RETURN NULL;
END $$;

-- Every job has its row from the beginning.
CREATE OR REPLACE FUNCTION begin_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_tally (job_id) VALUES (NEW.job_id);
    RETURN NULL;
END $$;

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
