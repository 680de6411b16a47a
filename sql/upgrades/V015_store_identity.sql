-- Which store this database belongs to, and what was taken out of it.

-- The newest row counts. A database and a store know each other: database_uuid is drawn with each adoption and written
-- into the store, so that a store has one database; the server's identifier and the database's oid show a copy of the
-- database (a restored dump) to be another one, whose view of the store is out of date.
CREATE TABLE store_identity (
    adoption_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_uuid uuid NOT NULL,
    database_uuid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    system_identifier bigint NOT NULL,
    database_oid oid NOT NULL,
    -- Where the store lay for who adopted it.
    path text NOT NULL CHECK (char_length(path) BETWEEN 1 AND 4096),
    adopted_by text NOT NULL CHECK (char_length(adopted_by) BETWEEN 1 AND 200),
    session_role text NOT NULL DEFAULT session_user,
    adopted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER immutable BEFORE UPDATE ON store_identity FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER permanent BEFORE DELETE OR TRUNCATE ON store_identity
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

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
CREATE TRIGGER immutable BEFORE UPDATE ON withdrawn_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER permanent BEFORE DELETE OR TRUNCATE ON withdrawn_result
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
