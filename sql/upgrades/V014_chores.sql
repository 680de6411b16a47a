-- What keeps the queue in order besides claims and commits: chores that are small, apart from each other and watched;
-- dependencies as one row a run; time that counts only while somebody watches it; device time that is charged once.

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
    ('archive', 5), ('statistics', 60);

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

ALTER TABLE worker
    -- The observed time of the last sign of life.
    ADD COLUMN seen_seconds double precision NOT NULL DEFAULT 0,
    -- What the worker says of itself when something is wrong with it.
    ADD COLUMN note text CHECK (char_length(note) BETWEEN 1 AND 1000);

ALTER TABLE shard
    -- False for a shard that was fetched ahead of its computation: its worker's death says nothing about it, and an idle
    -- worker may take it over.
    ADD COLUMN is_begun boolean NOT NULL DEFAULT true,
    -- The worker that failed it last leaves it to others for a while, where there are others.
    ADD COLUMN avoid_worker bigint,
    ADD COLUMN avoid_until timestamptz,
    ADD CONSTRAINT shard_avoids CHECK ((avoid_worker IS NULL) = (avoid_until IS NULL));
ALTER TABLE archived_shard
    ADD COLUMN is_begun boolean NOT NULL DEFAULT true,
    ADD COLUMN avoid_worker bigint,
    ADD COLUMN avoid_until timestamptz;
CREATE INDEX shard_fetched ON shard (started_at) WHERE state = 'running' AND NOT is_begun;

ALTER TABLE job
    -- False while shards of a cancelled job still have to be marked; people see them as cancelled already.
    ADD COLUMN is_swept boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT job_swept CHECK (is_swept OR is_cancelled);
CREATE INDEX job_to_sweep ON job (job_id) WHERE NOT is_swept;
CREATE INDEX job_tally_ready ON job_tally (job_id) WHERE ready > 0;

ALTER TABLE run
    -- False while shards of an archived run still stand in the tables that claims work in.
    ADD COLUMN is_moved boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT run_moved CHECK (is_moved OR archived_at IS NOT NULL);
CREATE INDEX run_to_move ON run (archived_at) WHERE NOT is_moved;

-- Device time that has not been charged yet: written with the end of an attempt, deleted when it is charged. Nothing
-- depends on the numbers of transactions, which mean nothing in another cluster.
CREATE TABLE usage_queue (
    job_id bigint NOT NULL,
    worker_id bigint NOT NULL,
    samples bigint NOT NULL CHECK (samples >= 0),
    tokens bigint NOT NULL CHECK (tokens >= 0),
    seconds double precision NOT NULL CHECK (seconds >= 0 AND seconds < 'infinity'),
    is_result boolean NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
);
INSERT INTO usage_queue
SELECT r.job_id, r.worker_id, r.samples, r.tokens, r.seconds, true FROM shard_result r, usage_mark m
WHERE r.txid >= m.charged_below
UNION ALL
SELECT a.job_id, a.worker_id, 0, 0, a.seconds, false FROM attempt a, usage_mark m
WHERE a.txid >= m.charged_below AND a.seconds IS NOT NULL;
DROP TABLE usage_mark;
DROP VIEW every_shard, every_result, every_attempt;
ALTER TABLE shard_result DROP COLUMN txid;
ALTER TABLE archived_result DROP COLUMN txid;
ALTER TABLE attempt DROP COLUMN txid;
ALTER TABLE archived_attempt DROP COLUMN txid;
CREATE VIEW every_shard AS SELECT * FROM shard UNION ALL SELECT * FROM archived_shard;
CREATE VIEW every_result AS SELECT * FROM shard_result UNION ALL SELECT * FROM archived_result;
CREATE VIEW every_attempt AS SELECT * FROM attempt UNION ALL SELECT * FROM archived_attempt;

-- What a job waits for: a run, or one job of it. One row whatever the size of the run.
CREATE TABLE job_need (
    job_id bigint NOT NULL REFERENCES job,
    needs_run text COLLATE "C" NOT NULL REFERENCES run,
    -- Null for all jobs of the run.
    needs_ordinal integer CHECK (needs_ordinal >= 0),
    -- 'ok': it must end with all of its results; 'any': it must end.
    condition text NOT NULL CHECK (condition IN ('ok', 'any')),
    -- Met, or of a job that does not wait any more.
    is_settled boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX job_need_once ON job_need (job_id, needs_run, (coalesce(needs_ordinal, -1)));
CREATE INDEX job_need_unmet ON job_need (needs_run, job_id) WHERE NOT is_settled;
CREATE INDEX job_need_unmet_of_job ON job_need (job_id) WHERE NOT is_settled;

-- The runs that somebody waits for. A job's end makes its run due; the rest of the time a look a minute is enough.
CREATE TABLE needed_run (
    run_id text COLLATE "C" PRIMARY KEY REFERENCES run,
    is_due boolean NOT NULL DEFAULT true,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

INSERT INTO job_need (job_id, needs_run, needs_ordinal, condition)
SELECT d.job_id, n.run_id, n.ordinal, d.condition FROM job_dependency d JOIN job n ON n.job_id = d.needs_job;
INSERT INTO needed_run (run_id) SELECT DISTINCT needs_run FROM job_need;

-- Counts as people see them: behind a closed gate nothing is ready, it is held or it waits; of a cancelled job nothing is
-- left to come.
CREATE OR REPLACE VIEW job_counts AS
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

-- Their successors take a limit.
DROP FUNCTION charge_usage(), roll_up();
