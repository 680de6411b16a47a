-- Who may do what. Tables are closed: every change goes through a function that runs with the owner's rights, and a role
-- may call those of the abilities that it was granted (sql/functions/function_rights.sql, apply_rights.sql).

-- Names of roles of this server, so that a dump keeps what was granted; a role that is not there has no rights.
CREATE TABLE grantee (
    role_name name NOT NULL,
    ability text NOT NULL CHECK (ability IN ('reader', 'submitter', 'worker', 'operator')),
    granted_by name NOT NULL DEFAULT session_user,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (role_name, ability)
);

-- As whom somebody was connected, which can't be made up; user_name is what the program said. Null where it was before.
ALTER TABLE run ADD COLUMN submitted_by name;
ALTER TABLE run ALTER COLUMN submitted_by SET DEFAULT session_user;
ALTER TABLE schedule ADD COLUMN created_by name;
ALTER TABLE schedule ALTER COLUMN created_by SET DEFAULT session_user;
ALTER TABLE model ADD COLUMN added_by name;
ALTER TABLE model ALTER COLUMN added_by SET DEFAULT session_user;
ALTER TABLE data_set_split ADD COLUMN added_by name;
ALTER TABLE data_set_split ALTER COLUMN added_by SET DEFAULT session_user;
ALTER TABLE worker ADD COLUMN registered_by name;
ALTER TABLE worker ALTER COLUMN registered_by SET DEFAULT session_user;

-- The highest tier that may be submitted to a project; null: high, and anything for operators.
ALTER TABLE project ADD COLUMN max_tier smallint CHECK (max_tier BETWEEN 0 AND 3);

-- The schema that the worker's program knows; null for programs before this was said.
ALTER TABLE worker ADD COLUMN schema_version integer CHECK (schema_version > 0);

-- Programs that know the schema up to this version, or a later one, work with it as it is now.
CREATE TABLE schema_contract (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    min_program integer NOT NULL CHECK (min_program > 0)
);
INSERT INTO schema_contract (min_program) VALUES (13);

-- History is never deleted, by nobody, but moved by the functions that write their transaction down here first. Rows
-- live within one transaction.
CREATE TABLE history_permit (txid xid8 PRIMARY KEY);

CREATE TRIGGER permanent BEFORE DELETE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
