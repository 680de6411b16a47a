-- What is counted and kept up to date beside the work: how many shards are in each state, without counting shards; time that
-- counts only while somebody watches it; device time that is charged once; and the chores that do it.

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
CREATE INDEX job_tally_ready ON job_tally (job_id) WHERE ready > 0;

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

-- Counts as people see them: behind a closed gate nothing is ready, it is held or it waits; of a cancelled job nothing is
-- left to come.
CREATE VIEW job_counts AS
SELECT j.job_id, j.gate,
    CASE WHEN j.is_cancelled OR j.gate = 'held' THEN 0 WHEN j.gate = 'waiting' THEN n.blocked + n.ready
        ELSE n.blocked END AS blocked,
    CASE WHEN j.is_cancelled OR j.gate <> 'open' THEN 0 ELSE n.ready END AS ready,
    n.running, n.done, n.failed,
    CASE WHEN j.is_cancelled THEN n.cancelled + n.blocked + n.ready + n.held ELSE n.cancelled END AS cancelled,
    CASE WHEN j.is_cancelled THEN 0 WHEN j.gate = 'held' THEN n.held + n.blocked + n.ready ELSE n.held END AS held,
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

-- The same counts for many jobs at once: lines that are not rolled up yet are added up once, not job by job. With them comes
-- what is asked of jobs together with their counts, so that no query reads ten thousand jobs a second time for it.
CREATE VIEW job_counts_in_bulk AS
SELECT j.job_id, j.gate,
    CASE WHEN j.is_cancelled OR j.gate = 'held' THEN 0 WHEN j.gate = 'waiting' THEN n.blocked + n.ready
        ELSE n.blocked END AS blocked,
    CASE WHEN j.is_cancelled OR j.gate <> 'open' THEN 0 ELSE n.ready END AS ready,
    n.running, n.done, n.failed,
    CASE WHEN j.is_cancelled THEN n.cancelled + n.blocked + n.ready + n.held ELSE n.cancelled END AS cancelled,
    CASE WHEN j.is_cancelled THEN 0 WHEN j.gate = 'held' THEN n.held + n.blocked + n.ready ELSE n.held END AS held,
    n.samples_done, n.tokens_done, n.started_at, n.ended_at,
    j.run_id, j.ordinal, j.project_id, j.task, j.model, j.model_sha256, j.need_labels, j.need_gpu_mb, j.need_device,
    j.max_attempts, j.max_failures, j.tier, coalesce(j.gate_reason, j.cancel_reason) AS reason, j.sample_count,
    j.is_runnable
FROM job j
JOIN job_tally t USING (job_id)
LEFT JOIN (
    SELECT c.job_id, sum(c.blocked) AS blocked, sum(c.ready) AS ready, sum(c.running) AS running, sum(c.done) AS done,
        sum(c.failed) AS failed, sum(c.cancelled) AS cancelled, sum(c.held) AS held,
        sum(c.samples_done)::bigint AS samples_done, sum(c.tokens_done)::bigint AS tokens_done,
        min(c.changed_at) FILTER (WHERE c.running > 0) AS started_at,
        max(c.changed_at) FILTER (WHERE c.done + c.failed + c.cancelled + c.held > 0) AS ended_at
    FROM tally_change c GROUP BY c.job_id) c USING (job_id)
CROSS JOIN LATERAL (
    SELECT t.blocked + coalesce(c.blocked, 0) AS blocked, t.ready + coalesce(c.ready, 0) AS ready,
        t.running + coalesce(c.running, 0) AS running, t.done + coalesce(c.done, 0) AS done,
        t.failed + coalesce(c.failed, 0) AS failed, t.cancelled + coalesce(c.cancelled, 0) AS cancelled,
        t.held + coalesce(c.held, 0) AS held, t.samples_done + coalesce(c.samples_done, 0) AS samples_done,
        t.tokens_done + coalesce(c.tokens_done, 0) AS tokens_done, least(t.started_at, c.started_at) AS started_at,
        greatest(t.ended_at, c.ended_at) AS ended_at) n;

-- What is done now and then, by any process. Each chore is a statement of its own: when one fails, the others go on.
CREATE TABLE chore (
    name text COLLATE "C" PRIMARY KEY,
    every_seconds double precision NOT NULL CHECK (every_seconds > 0),
    succeeded_at timestamptz,
    -- How long it took then, and how much it changed.
    seconds double precision,
    changed bigint,
    failed_at timestamptz,
    error text,
    CHECK ((failed_at IS NULL) = (error IS NULL))
) WITH (fillfactor = 20);
INSERT INTO chore (name, every_seconds) VALUES
    ('workers', 2), ('promotion', 2), ('tallies', 2), ('gates', 2), ('charges', 5), ('cancellations', 2), ('mending', 60),
    ('archive', 5), ('statistics', 60), ('departures', 3600);

-- Leases are measured in time that was observed: from one look at the clock to the next no more than cap_seconds count.
-- So a database that stood still, crashed, was promoted, or whose clock was set takes no lease from anybody.
CREATE TABLE queue_clock (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    observed_seconds double precision NOT NULL DEFAULT 0,
    -- A third of the shortest lease, so that nobody is declared dead before three looks.
    cap_seconds double precision NOT NULL DEFAULT 20 CHECK (cap_seconds > 0),
    ticked_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 10);
INSERT INTO queue_clock DEFAULT VALUES;

-- Device time that has not been charged yet: written with the end of an attempt, deleted when it is charged. Nothing
-- depends on the numbers of transactions, which mean nothing in another cluster. What is written here was checked with the
-- result or the failed attempt, in the same transaction; what is no number would spoil every sum, and is refused here, too.
CREATE TABLE usage_queue (
    job_id bigint NOT NULL,
    worker_id bigint NOT NULL,
    samples bigint NOT NULL,
    tokens bigint NOT NULL,
    seconds double precision NOT NULL,
    is_result boolean NOT NULL,
    CONSTRAINT usage_queue_is_a_number CHECK (seconds < 'infinity')
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
);

-- How fast work went, by what it was and where, for estimates; outlives the results themselves.
CREATE TABLE pace (
    model_sha256 bytea NOT NULL,
    task text NOT NULL,
    device text NOT NULL,
    samples double precision NOT NULL CHECK (samples >= 0),
    tokens double precision NOT NULL CHECK (tokens >= 0),
    seconds double precision NOT NULL CHECK (seconds > 0),
    measured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (model_sha256, task, device)
);
