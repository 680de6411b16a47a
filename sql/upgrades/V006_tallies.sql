-- How many shards of a job are in each state, without counting shards.
--
-- Every statement that changes shards appends what it changed to tally_change (a trigger does it, so nobody can forget);
-- roll_up() folds these lines into one row a job. Who reads adds the lines that are still there: the counts are exact at
-- any moment, and no two transactions ever wait for one counter.

CREATE TABLE job_tally (
    job_id bigint PRIMARY KEY REFERENCES job,
    blocked bigint NOT NULL DEFAULT 0 CHECK (blocked >= 0),
    ready bigint NOT NULL DEFAULT 0 CHECK (ready >= 0),
    running bigint NOT NULL DEFAULT 0 CHECK (running >= 0),
    done bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    failed bigint NOT NULL DEFAULT 0 CHECK (failed >= 0),
    cancelled bigint NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
    held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    samples_done bigint NOT NULL DEFAULT 0 CHECK (samples_done >= 0),
    tokens_done bigint NOT NULL DEFAULT 0 CHECK (tokens_done >= 0),
    started_at timestamptz,
    ended_at timestamptz
) WITH (fillfactor = 50);
CREATE INDEX job_tally_open ON job_tally (job_id) WHERE blocked + ready + running > 0;

CREATE TABLE tally_change (
    job_id bigint NOT NULL,
    blocked integer NOT NULL,
    ready integer NOT NULL,
    running integer NOT NULL,
    done integer NOT NULL,
    failed integer NOT NULL,
    cancelled integer NOT NULL,
    held integer NOT NULL,
    samples_done bigint NOT NULL,
    tokens_done bigint NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX tally_change_of_job ON tally_change (job_id);

CREATE FUNCTION note_new_shards() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER tally_new AFTER INSERT ON shard REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_shards();

CREATE FUNCTION note_changed_shards() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER tally_changed AFTER UPDATE ON shard REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_shards();

-- Every job has its row from the beginning.
CREATE FUNCTION begin_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_tally (job_id) VALUES (NEW.job_id);
    RETURN NULL;
END $$;
CREATE TRIGGER tally_begun AFTER INSERT ON job FOR EACH ROW EXECUTE FUNCTION begin_tally();

INSERT INTO job_tally
SELECT j.job_id,
    count(*) FILTER (WHERE s.state = 'blocked'), count(*) FILTER (WHERE s.state = 'ready'),
    count(*) FILTER (WHERE s.state = 'running'), count(*) FILTER (WHERE s.state = 'done'),
    count(*) FILTER (WHERE s.state = 'failed'), count(*) FILTER (WHERE s.state = 'cancelled'),
    count(*) FILTER (WHERE s.state = 'held'), sum(s.samples_done), sum(s.tokens_done), min(s.started_at),
    max(s.ended_at)
FROM job j JOIN shard s USING (job_id) GROUP BY j.job_id;

-- Counts as people see them: behind a closed gate nothing is ready, it is held or it waits.
CREATE VIEW job_counts AS
SELECT j.job_id, j.gate,
    CASE j.gate WHEN 'held' THEN 0 WHEN 'waiting' THEN n.blocked + n.ready ELSE n.blocked END AS blocked,
    CASE j.gate WHEN 'open' THEN n.ready ELSE 0 END AS ready,
    n.running, n.done, n.failed, n.cancelled,
    CASE j.gate WHEN 'held' THEN n.held + n.blocked + n.ready ELSE n.held END AS held,
    n.samples_done, n.tokens_done, n.started_at, n.ended_at
FROM job j
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.blocked), 0)::bigint AS blocked, coalesce(sum(p.ready), 0)::bigint AS ready,
        coalesce(sum(p.running), 0)::bigint AS running, coalesce(sum(p.done), 0)::bigint AS done,
        coalesce(sum(p.failed), 0)::bigint AS failed, coalesce(sum(p.cancelled), 0)::bigint AS cancelled,
        coalesce(sum(p.held), 0)::bigint AS held, coalesce(sum(p.samples_done), 0)::bigint AS samples_done,
        coalesce(sum(p.tokens_done), 0)::bigint AS tokens_done, min(p.started_at) AS started_at,
        max(p.ended_at) AS ended_at
    FROM (
        SELECT t.blocked, t.ready, t.running, t.done, t.failed, t.cancelled, t.held, t.samples_done, t.tokens_done,
            t.started_at, t.ended_at
        FROM job_tally t WHERE t.job_id = j.job_id
        UNION ALL
        SELECT c.blocked, c.ready, c.running, c.done, c.failed, c.cancelled, c.held, c.samples_done, c.tokens_done,
            CASE WHEN c.running > 0 THEN c.changed_at END,
            CASE WHEN c.done + c.failed + c.cancelled + c.held > 0 THEN c.changed_at END
        FROM tally_change c WHERE c.job_id = j.job_id) p) n;

-- Folds what was appended into the tallies; all lines of a job at once, or counts could fall below zero on the way.
-- One at a time: whoever comes meanwhile leaves it to the other.
CREATE FUNCTION roll_up() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c_jobs CONSTANT integer := 1000;
BEGIN
    PERFORM 1 FROM usage_mark FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    WITH taken AS (
        DELETE FROM tally_change c
        WHERE c.job_id IN (SELECT d.job_id FROM tally_change d GROUP BY d.job_id LIMIT c_jobs)
        RETURNING c.*),
    news AS (
        SELECT c.job_id, sum(c.blocked) AS blocked, sum(c.ready) AS ready, sum(c.running) AS running,
            sum(c.done) AS done, sum(c.failed) AS failed, sum(c.cancelled) AS cancelled, sum(c.held) AS held,
            sum(c.samples_done) AS samples_done, sum(c.tokens_done) AS tokens_done,
            min(c.changed_at) FILTER (WHERE c.running > 0) AS started_at,
            max(c.changed_at) FILTER (WHERE c.done + c.failed + c.cancelled + c.held > 0) AS ended_at
        FROM taken c GROUP BY c.job_id)
    UPDATE job_tally t SET
        blocked = t.blocked + n.blocked, ready = t.ready + n.ready, running = t.running + n.running,
        done = t.done + n.done, failed = t.failed + n.failed, cancelled = t.cancelled + n.cancelled,
        held = t.held + n.held, samples_done = t.samples_done + n.samples_done,
        tokens_done = t.tokens_done + n.tokens_done, started_at = least(t.started_at, n.started_at),
        ended_at = greatest(t.ended_at, n.ended_at)
    FROM news n WHERE t.job_id = n.job_id;
END $$;
