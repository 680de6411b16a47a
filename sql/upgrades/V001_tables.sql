-- Everything that the queue knows. Names are never qualified: the tables live in the connection's current schema.
-- All times come from this database's clock_timestamp(); no client's clock is ever compared with anything here.

CREATE TYPE shard_state AS ENUM ('blocked', 'ready', 'running', 'done', 'failed', 'cancelled', 'held');

-- What fair share is counted for. Charged by charge_usage(), never by commits: a hot row here would queue them all.
CREATE TABLE project (
    project_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 64),
    weight double precision NOT NULL DEFAULT 1 CHECK (weight > 0 AND weight < 'infinity'),
    used_seconds double precision NOT NULL DEFAULT 0 CHECK (used_seconds >= 0 AND used_seconds < 'infinity'),
    used_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

CREATE TABLE run (
    run_id text COLLATE "C" PRIMARY KEY CHECK (run_id ~ '^[0-9a-hjkmnp-tv-z]{8}$'),
    project_id integer NOT NULL REFERENCES project,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    user_name text NOT NULL CHECK (char_length(user_name) BETWEEN 1 AND 200),
    tier smallint NOT NULL CHECK (tier BETWEEN 0 AND 3),
    submission_sha256 bytea NOT NULL CHECK (octet_length(submission_sha256) = 32),
    specification text NOT NULL,
    submitted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    cancelled_at timestamptz
);
CREATE INDEX run_newest ON run (submitted_at DESC, run_id);
CREATE INDEX run_newest_of_project ON run (project_id, submitted_at DESC, run_id);

-- Specifications by content; many jobs share one.
CREATE TABLE job_spec (
    sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    specification text NOT NULL
);

CREATE TABLE job (
    job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text COLLATE "C" NOT NULL REFERENCES run,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    project_id integer NOT NULL REFERENCES project,
    tier smallint NOT NULL CHECK (tier BETWEEN 0 AND 3),
    max_attempts smallint NOT NULL CHECK (max_attempts BETWEEN 1 AND 100),
    -- False says that no shard is ready. Claims set it; whoever makes a shard ready locks this row first.
    is_runnable boolean NOT NULL DEFAULT true,
    is_cancelled boolean NOT NULL DEFAULT false,
    need_gpu_mb integer NOT NULL CHECK (need_gpu_mb >= 0),
    -- What loading the model costs; bounds what a warm worker's preference is worth.
    load_seconds real NOT NULL DEFAULT 60 CHECK (load_seconds BETWEEN 0 AND 3600),
    sample_count integer NOT NULL CHECK (sample_count > 0),
    shard_count integer NOT NULL CHECK (shard_count > 0),
    task text NOT NULL CHECK (char_length(task) BETWEEN 1 AND 200),
    model text NOT NULL CHECK (char_length(model) BETWEEN 1 AND 200),
    model_sha256 bytea NOT NULL CHECK (octet_length(model_sha256) = 32),
    spec_sha256 bytea NOT NULL REFERENCES job_spec,
    need_labels text[] NOT NULL,
    UNIQUE (run_id, ordinal),
    CHECK (NOT (is_cancelled AND is_runnable))
) WITH (fillfactor = 70);
CREATE INDEX job_runnable ON job (tier DESC, job_id) WHERE is_runnable;

-- One row per process that ever claimed; the lease column is in no index, so that renewals stay HOT.
CREATE TABLE worker (
    worker_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incarnation uuid NOT NULL UNIQUE,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'dead', 'left')),
    is_draining boolean NOT NULL DEFAULT false,
    ttl_seconds double precision NOT NULL CHECK (ttl_seconds > 0 AND ttl_seconds <= 86400),
    lease_until timestamptz NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    warm_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    pid integer NOT NULL,
    gpu_mb integer NOT NULL CHECK (gpu_mb >= 0),
    host text NOT NULL,
    device text NOT NULL,
    engine text NOT NULL,
    labels text[] NOT NULL,
    warm bytea[] NOT NULL,
    CHECK ((state = 'live') = (ended_at IS NULL))
) WITH (fillfactor = 50);
CREATE INDEX worker_live ON worker (worker_id) WHERE state = 'live';

-- The hot table: narrow, no payload. worker_id has no foreign key, because every claim would pay for the check;
-- the claim itself has just locked the worker's row.
CREATE TABLE shard (
    job_id bigint NOT NULL REFERENCES job,
    shard_no integer NOT NULL CHECK (shard_no >= 0),
    row_start integer NOT NULL CHECK (row_start >= 0),
    row_count integer NOT NULL CHECK (row_count > 0),
    project_id integer NOT NULL,
    state shard_state NOT NULL DEFAULT 'ready',
    epoch integer NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    failures smallint NOT NULL DEFAULT 0 CHECK (failures >= 0),
    losses smallint NOT NULL DEFAULT 0 CHECK (losses >= 0),
    samples_done integer NOT NULL DEFAULT 0 CHECK (samples_done BETWEEN 0 AND row_count),
    tokens_done bigint NOT NULL DEFAULT 0 CHECK (tokens_done >= 0),
    worker_id bigint,
    incarnation uuid,
    not_before timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    reason text,
    PRIMARY KEY (job_id, shard_no),
    CONSTRAINT shard_claimed CHECK ((epoch > 0) = (worker_id IS NOT NULL)
        AND (epoch > 0) = (incarnation IS NOT NULL) AND (epoch > 0) = (started_at IS NOT NULL)),
    CONSTRAINT shard_running_is_claimed CHECK (state NOT IN ('running', 'done', 'failed') OR epoch > 0),
    CONSTRAINT shard_blocked_waits CHECK ((state = 'blocked') = (not_before IS NOT NULL)),
    CONSTRAINT shard_ended CHECK ((state IN ('done', 'failed', 'cancelled', 'held')) = (ended_at IS NOT NULL)),
    CONSTRAINT shard_reason CHECK ((state IN ('failed', 'cancelled', 'held')) = (reason IS NOT NULL)),
    CONSTRAINT shard_done_is_complete CHECK (state <> 'done' OR samples_done = row_count)
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX shard_ready ON shard (job_id, shard_no) WHERE state = 'ready';
CREATE INDEX shard_running ON shard (worker_id, project_id) WHERE state = 'running';
CREATE INDEX shard_blocked ON shard (not_before) WHERE state = 'blocked';

-- The commit point: a result exists if and only if its row is here.
CREATE TABLE shard_result (
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL CHECK (epoch > 0),
    samples integer NOT NULL CHECK (samples > 0),
    incarnation uuid NOT NULL,
    worker_id bigint NOT NULL,
    bytes bigint NOT NULL CHECK (bytes > 0),
    tokens bigint NOT NULL CHECK (tokens >= 0),
    seconds double precision NOT NULL CHECK (seconds >= 0 AND seconds < 'infinity'),
    started_at timestamptz NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    path text NOT NULL CHECK (char_length(path) BETWEEN 1 AND 1024 AND path !~ '(^/)|((^|/)\.\.?(/|$))|//|\\'),
    digest text NOT NULL CHECK (char_length(digest) BETWEEN 1 AND 200),
    PRIMARY KEY (job_id, shard_no),
    FOREIGN KEY (job_id, shard_no) REFERENCES shard
);
CREATE INDEX shard_result_txid ON shard_result (txid);

-- Every claim that did not end in a result. Those that did are in shard_result: a commit writes one row, not two.
CREATE TABLE attempt (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL CHECK (epoch > 0),
    outcome text NOT NULL CHECK (outcome IN ('failed', 'lost', 'released', 'cancelled')),
    error text,
    worker_id bigint NOT NULL REFERENCES worker,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seconds double precision CHECK (seconds >= 0 AND seconds < 'infinity'),
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    FOREIGN KEY (job_id, shard_no) REFERENCES shard,
    CHECK (outcome <> 'failed' OR error IS NOT NULL)
);
CREATE INDEX attempt_of_shard ON attempt (job_id, shard_no, epoch);
CREATE INDEX attempt_txid ON attempt (txid);

-- Up to which transaction device time has been charged to projects.
CREATE TABLE usage_mark (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    charged_below xid8 NOT NULL
);
INSERT INTO usage_mark (charged_below) VALUES (pg_snapshot_xmin(pg_current_snapshot()));

CREATE TABLE model (
    name text COLLATE "C" PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 200),
    path text NOT NULL CHECK (char_length(path) BETWEEN 1 AND 4096),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    bytes bigint NOT NULL CHECK (bytes > 0),
    architecture text NOT NULL,
    parameters bigint NOT NULL CHECK (parameters >= 0),
    context_length integer NOT NULL CHECK (context_length >= 0),
    vocabulary_size integer NOT NULL CHECK (vocabulary_size >= 0),
    tokenizer_sha256 bytea NOT NULL CHECK (octet_length(tokenizer_sha256) = 32),
    quantization text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What is history stays as it was written.
CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never updated', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER immutable BEFORE UPDATE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
