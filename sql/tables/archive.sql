-- History: what is over leaves the tables that claims and commits work in. The runs and jobs themselves, their tallies
-- and their specifications stay where they are; nothing is lost, and everything is read through the views below.
--
-- Columns stand in the order of the tables they come from: rows are moved as they are. Their checks are those that the tables
-- had before functions took their place, under the same names.

CREATE TABLE archived_shard (
    job_id bigint NOT NULL,
    shard_no integer NOT NULL CONSTRAINT shard_shard_no_check CHECK (shard_no >= 0),
    row_start integer NOT NULL CONSTRAINT shard_row_start_check CHECK (row_start >= 0),
    row_count integer NOT NULL CONSTRAINT shard_row_count_check CHECK (row_count > 0),
    project_id integer NOT NULL,
    state shard_state NOT NULL,
    epoch integer NOT NULL CONSTRAINT shard_epoch_check CHECK (epoch >= 0),
    failures smallint NOT NULL CONSTRAINT shard_failures_check CHECK (failures >= 0),
    losses smallint NOT NULL CONSTRAINT shard_losses_check CHECK (losses >= 0),
    samples_done integer NOT NULL CONSTRAINT shard_check CHECK (samples_done BETWEEN 0 AND row_count),
    tokens_done bigint NOT NULL CONSTRAINT shard_tokens_done_check CHECK (tokens_done >= 0),
    worker_id bigint,
    incarnation uuid,
    not_before timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    reason text,
    is_begun boolean NOT NULL DEFAULT true,
    avoid_worker bigint,
    avoid_until timestamptz,
    PRIMARY KEY (job_id, shard_no),
    CONSTRAINT shard_claimed CHECK ((epoch > 0) = (worker_id IS NOT NULL)
        AND (epoch > 0) = (incarnation IS NOT NULL) AND (epoch > 0) = (started_at IS NOT NULL)),
    CONSTRAINT shard_running_is_claimed CHECK (state NOT IN ('running', 'done', 'failed') OR epoch > 0),
    CONSTRAINT shard_blocked_waits CHECK ((state = 'blocked') = (not_before IS NOT NULL)),
    CONSTRAINT shard_ended CHECK ((state IN ('done', 'failed', 'cancelled', 'held')) = (ended_at IS NOT NULL)),
    CONSTRAINT shard_reason CHECK ((state IN ('failed', 'cancelled', 'held')) = (reason IS NOT NULL)),
    CONSTRAINT shard_done_is_complete CHECK (state <> 'done' OR samples_done = row_count)
);
CREATE INDEX archived_shard_troubled ON archived_shard (job_id, shard_no) WHERE state IN ('failed', 'held');

CREATE TABLE archived_result (
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL CONSTRAINT shard_result_epoch_check CHECK (epoch > 0),
    samples integer NOT NULL CONSTRAINT shard_result_samples_check CHECK (samples > 0),
    incarnation uuid NOT NULL,
    worker_id bigint NOT NULL,
    bytes bigint NOT NULL CONSTRAINT shard_result_bytes_check CHECK (bytes > 0),
    tokens bigint NOT NULL CONSTRAINT shard_result_tokens_check CHECK (tokens >= 0),
    seconds double precision NOT NULL CONSTRAINT shard_result_seconds_check CHECK (seconds >= 0 AND seconds < 'infinity'),
    started_at timestamptz NOT NULL,
    committed_at timestamptz NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT shard_result_sha256_check CHECK (octet_length(sha256) = 32),
    path text NOT NULL CONSTRAINT shard_result_path_check CHECK (
        char_length(path) BETWEEN 1 AND 1024 AND path !~ '(^/)|((^|/)\.\.?(/|$))|//|\\'),
    digest text NOT NULL CONSTRAINT shard_result_digest_check CHECK (char_length(digest) BETWEEN 1 AND 200),
    PRIMARY KEY (job_id, shard_no)
);

CREATE TABLE archived_attempt (
    attempt_id bigint PRIMARY KEY,
    job_id bigint NOT NULL,
    shard_no integer NOT NULL,
    epoch integer NOT NULL CONSTRAINT attempt_epoch_check CHECK (epoch > 0),
    outcome text NOT NULL CONSTRAINT attempt_outcome_check CHECK (outcome IN ('failed', 'lost', 'released', 'cancelled')),
    error text,
    worker_id bigint NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    seconds double precision CONSTRAINT attempt_seconds_check CHECK (seconds >= 0 AND seconds < 'infinity'),
    CONSTRAINT attempt_check CHECK (outcome <> 'failed' OR error IS NOT NULL)
);
CREATE INDEX archived_attempt_of_shard ON archived_attempt (job_id, shard_no, epoch);

CREATE VIEW every_shard AS SELECT * FROM shard UNION ALL SELECT * FROM archived_shard;
CREATE VIEW every_result AS SELECT * FROM shard_result UNION ALL SELECT * FROM archived_result;
CREATE VIEW every_attempt AS SELECT * FROM attempt UNION ALL SELECT * FROM archived_attempt;

-- Results that were committed and count no more: their files were lost or damaged, or somebody removed them.
CREATE TABLE withdrawn_result (
    withdrawal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL REFERENCES job,
    shard_no integer NOT NULL,
    epoch integer NOT NULL CHECK (epoch > 0),
    samples integer NOT NULL,
    incarnation uuid NOT NULL,
    worker_id bigint NOT NULL,
    bytes bigint NOT NULL,
    tokens bigint NOT NULL,
    seconds double precision NOT NULL,
    started_at timestamptz NOT NULL,
    committed_at timestamptz NOT NULL,
    sha256 bytea NOT NULL,
    path text NOT NULL,
    digest text NOT NULL,
    reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 2000),
    withdrawn_by text NOT NULL CHECK (char_length(withdrawn_by) BETWEEN 1 AND 200),
    session_role text NOT NULL DEFAULT session_user,
    withdrawn_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (job_id, shard_no, epoch, incarnation)
);

-- History is never deleted, by nobody, but moved by the functions that write their transaction down here first. Rows
-- live within one transaction.
CREATE TABLE history_permit (txid xid8 PRIMARY KEY);
