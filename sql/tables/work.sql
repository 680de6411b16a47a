-- Everything that the queue knows. Names are never qualified: the tables live in the connection's current schema.
-- All times come from this database's clock_timestamp(); no client's clock is ever compared with anything here.
--
-- The files of this folder make a new database, and say how every database is now. One that is older gets there by the steps
-- of sql/upgrades; a test compares the two.

CREATE TYPE shard_state AS ENUM ('blocked', 'ready', 'running', 'done', 'failed', 'cancelled', 'held');

-- What fair share is counted for. Charged by charge_usage(), never by commits: a hot row here would queue them all.
CREATE TABLE project (
    project_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 64),
    weight double precision NOT NULL DEFAULT 1 CHECK (weight > 0 AND weight < 'infinity'),
    used_seconds double precision NOT NULL DEFAULT 0 CHECK (used_seconds >= 0 AND used_seconds < 'infinity'),
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Above so many running shards a project gets only what nobody below theirs wants.
    soft_cap integer CHECK (soft_cap >= 0),
    -- So many of its shards may run at once, and no more.
    hard_cap integer CHECK (hard_cap >= 0),
    -- The highest tier that may be submitted to it; null: high, and anything for operators.
    max_tier smallint CHECK (max_tier BETWEEN 0 AND 3)
) WITH (fillfactor = 50);

-- Claims of one project with a cap come one after the other. The lock for that is a row which only claims take, so that
-- nobody who may merely read stops them, as with a lock that has a number.
CREATE TABLE project_turn (project_id integer PRIMARY KEY);

CREATE TABLE run (
    run_id text COLLATE "C" PRIMARY KEY CHECK (run_id ~ '^[0-9a-hjkmnp-tv-z]{8}$'),
    project_id integer NOT NULL REFERENCES project,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    -- What the program said; submitted_by is as whom it was connected, which can't be made up. Null: before roles were noted.
    user_name text NOT NULL CHECK (char_length(user_name) BETWEEN 1 AND 200),
    tier smallint NOT NULL CHECK (tier BETWEEN 0 AND 3),
    submission_sha256 bytea NOT NULL CHECK (octet_length(submission_sha256) = 32),
    specification text NOT NULL,
    submitted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    cancelled_at timestamptz,
    archived_at timestamptz,
    -- False while shards of an archived run still stand in the tables that claims work in.
    is_moved boolean NOT NULL DEFAULT true,
    submitted_by name DEFAULT session_user,
    CONSTRAINT run_moved CHECK (is_moved OR archived_at IS NOT NULL)
);
CREATE INDEX run_newest ON run (submitted_at DESC, run_id);
CREATE INDEX run_newest_of_project ON run (project_id, submitted_at DESC, run_id);
CREATE INDEX run_to_archive ON run (submitted_at) WHERE archived_at IS NULL;
CREATE INDEX run_to_move ON run (archived_at) WHERE NOT is_moved;

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
    -- A closed gate keeps every shard of the job from being claimed, whatever its state; what runs goes on.
    gate text NOT NULL DEFAULT 'open' CHECK (gate IN ('open', 'waiting', 'held')),
    gate_reason text,
    cancel_reason text,
    need_device text CHECK (need_device ~ '^[a-z0-9]{1,20}$'),
    -- More failed shards than this hold the job; null for no limit.
    max_failures integer CHECK (max_failures >= 0),
    -- False while shards of a cancelled job still have to be marked; people see them as cancelled already.
    is_swept boolean NOT NULL DEFAULT true,
    -- A hash over all that the job's samples depend on but the engine; null where nobody has said it.
    work bytea CHECK (octet_length(work) = 32),
    -- The mark of the job's engine, for claims, which look at many jobs; commits go by job_engine.
    engine_mark bigint,
    UNIQUE (run_id, ordinal),
    CHECK (NOT (is_cancelled AND is_runnable)),
    CONSTRAINT job_gate_reason CHECK ((gate = 'open') = (gate_reason IS NULL)),
    CONSTRAINT job_cancel_reason CHECK (cancel_reason IS NULL OR is_cancelled),
    CONSTRAINT job_gate_shut CHECK (gate = 'open' OR NOT is_runnable),
    CONSTRAINT job_cancelled_is_open CHECK (gate = 'open' OR NOT is_cancelled),
    CONSTRAINT job_swept CHECK (is_swept OR is_cancelled)
) WITH (fillfactor = 70);
-- Claims look for the first job of each project, and for the first one with a certain model.
CREATE INDEX job_runnable ON job (project_id, tier DESC, job_id) WHERE is_runnable;
CREATE INDEX job_runnable_by_model ON job (project_id, model_sha256, tier DESC, job_id) WHERE is_runnable;
CREATE INDEX job_waiting ON job (job_id) WHERE gate = 'waiting';
CREATE INDEX job_to_sweep ON job (job_id) WHERE NOT is_swept;
CREATE INDEX job_of_work ON job (work, job_id) WHERE work IS NOT NULL;

-- The engine that a job's first result came from: the others must come from it, too. There is no row before that, unless the
-- job may have several. No foreign key: its check would lock the job's row, and a commit waits for nobody who is at it.
CREATE TABLE job_engine (
    job_id bigint PRIMARY KEY,
    engine text,
    is_mixed boolean NOT NULL DEFAULT false,
    CHECK (engine IS NOT NULL OR is_mixed)
);

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

-- What programs of the release before write instead; a trigger turns it into needs.
CREATE TABLE job_dependency (
    job_id bigint NOT NULL REFERENCES job,
    needs_job bigint NOT NULL REFERENCES job,
    -- 'ok': it must end with all of its results; 'any': it must end.
    condition text NOT NULL CHECK (condition IN ('ok', 'any')),
    PRIMARY KEY (job_id, needs_job),
    -- Jobs wait for older ones only, so that no two can wait for each other.
    CHECK (needs_job < job_id)
);

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
    device_kind text NOT NULL CHECK (device_kind ~ '^[a-z0-9]{1,20}$'),
    -- The observed time of the last sign of life.
    seen_seconds double precision NOT NULL DEFAULT 0,
    -- What the worker says of itself when something is wrong with it.
    note text CHECK (char_length(note) BETWEEN 1 AND 1000),
    registered_by name DEFAULT session_user,
    -- The schema that the worker's program knows; null for programs before this was said.
    schema_version integer CHECK (schema_version > 0),
    -- What the worker's engine is, as far as no model decides it, and its mark; null for programs that do not say.
    identity text CHECK (char_length(identity) BETWEEN 1 AND 20000),
    engine_mark bigint,
    CHECK ((state = 'live') = (ended_at IS NULL))
) WITH (fillfactor = 50);
CREATE INDEX worker_live ON worker (worker_id) WHERE state = 'live';
CREATE INDEX worker_ended ON worker (ended_at) WHERE state <> 'live';

-- Workers that have claimed something. A table of its own: a claim waits for nobody who is at the worker's row.
CREATE TABLE worker_use (worker_id bigint PRIMARY KEY);

-- The server reads the stored text of every check again for each statement, and these were a tenth of what a claim and a
-- commit cost. One call is quick to read. To change what is sound, add another function: dumps rely on this one.
CREATE FUNCTION shard_is_sound(
    p_shard_no integer, p_row_start integer, p_row_count integer, p_state shard_state, p_epoch integer, p_failures smallint,
    p_losses smallint, p_samples_done integer, p_tokens_done bigint, p_worker_id bigint, p_incarnation uuid,
    p_not_before timestamptz, p_started_at timestamptz, p_ended_at timestamptz, p_reason text, p_avoid_worker bigint,
    p_avoid_until timestamptz
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN least(p_shard_no, p_row_start, p_row_count - 1, p_epoch, p_failures, p_losses, p_samples_done, p_tokens_done) >= 0
        AND p_samples_done <= p_row_count
        AND num_nonnulls(p_worker_id, p_incarnation, p_started_at) = CASE WHEN p_epoch > 0 THEN 3 ELSE 0 END
        AND (p_state NOT IN ('running', 'done', 'failed') OR p_epoch > 0)
        AND (p_state = 'blocked') = (p_not_before IS NOT NULL)
        AND (p_state IN ('done', 'failed', 'cancelled', 'held')) = (p_ended_at IS NOT NULL)
        AND (p_state IN ('failed', 'cancelled', 'held')) = (p_reason IS NOT NULL)
        AND (p_state <> 'done' OR p_samples_done = p_row_count)
        AND (p_avoid_worker IS NULL) = (p_avoid_until IS NULL);
END $$;

-- The hot table: narrow, no payload. worker_id has no foreign key, because every claim would pay for the check;
-- the claim itself has just looked at the worker's row.
CREATE TABLE shard (
    job_id bigint NOT NULL REFERENCES job,
    shard_no integer NOT NULL,
    row_start integer NOT NULL,
    row_count integer NOT NULL,
    project_id integer NOT NULL,
    state shard_state NOT NULL DEFAULT 'ready',
    epoch integer NOT NULL DEFAULT 0,
    failures smallint NOT NULL DEFAULT 0,
    losses smallint NOT NULL DEFAULT 0,
    samples_done integer NOT NULL DEFAULT 0,
    tokens_done bigint NOT NULL DEFAULT 0,
    worker_id bigint,
    incarnation uuid,
    not_before timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    reason text,
    -- False for a shard that was fetched ahead of its computation: its worker's death says nothing about it, and an idle
    -- worker may take it over.
    is_begun boolean NOT NULL DEFAULT true,
    -- The worker that failed it last leaves it to others for a while, where there are others.
    avoid_worker bigint,
    avoid_until timestamptz,
    PRIMARY KEY (job_id, shard_no),
    CONSTRAINT shard_is_sound CHECK (shard_is_sound(
        shard_no, row_start, row_count, state, epoch, failures, losses, samples_done, tokens_done, worker_id, incarnation,
        not_before, started_at, ended_at, reason, avoid_worker, avoid_until))
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX shard_ready ON shard (job_id, shard_no) WHERE state = 'ready';
CREATE INDEX shard_running ON shard (worker_id, project_id) WHERE state = 'running';
CREATE INDEX shard_blocked ON shard (not_before) WHERE state = 'blocked';
CREATE INDEX shard_fetched ON shard (started_at) WHERE state = 'running' AND NOT is_begun;
-- The few shards of a job that somebody will ask about.
CREATE INDEX shard_troubled ON shard (job_id, shard_no) WHERE state IN ('failed', 'held');

CREATE FUNCTION result_is_sound(
    p_epoch integer, p_samples integer, p_bytes bigint, p_tokens bigint, p_seconds double precision, p_sha256 bytea,
    p_path text, p_digest text
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN p_epoch > 0 AND p_samples > 0 AND p_bytes > 0 AND p_tokens >= 0 AND p_seconds >= 0 AND p_seconds < 'infinity'
        AND octet_length(p_sha256) = 32 AND char_length(p_path) BETWEEN 1 AND 1024
        AND p_path !~ '(^/)|((^|/)\.\.?(/|$))|//|\\' AND char_length(p_digest) BETWEEN 1 AND 200;
END $$;

-- The commit point: a result exists if and only if its row is here.
CREATE TABLE shard_result (
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL,
    samples integer NOT NULL,
    incarnation uuid NOT NULL,
    worker_id bigint NOT NULL,
    bytes bigint NOT NULL,
    tokens bigint NOT NULL,
    seconds double precision NOT NULL,
    started_at timestamptz NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sha256 bytea NOT NULL,
    path text NOT NULL,
    digest text NOT NULL,
    PRIMARY KEY (job_id, shard_no),
    FOREIGN KEY (job_id, shard_no) REFERENCES shard,
    CONSTRAINT shard_result_is_sound CHECK (result_is_sound(
        epoch, samples, bytes, tokens, seconds, sha256, path, digest))
);

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
    FOREIGN KEY (job_id, shard_no) REFERENCES shard,
    CHECK (outcome <> 'failed' OR error IS NOT NULL)
);
CREATE INDEX attempt_of_shard ON attempt (job_id, shard_no, epoch);
-- Who removes a worker must prove that no attempt refers to it.
CREATE INDEX attempt_of_worker ON attempt (worker_id);
-- The latest attempts that went wrong.
CREATE INDEX attempt_troubled ON attempt (job_id, attempt_id DESC) WHERE error IS NOT NULL;
