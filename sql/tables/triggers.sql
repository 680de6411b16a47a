-- What happens by itself when tables change. These come after the functions, which they name.

-- Counting shards.
CREATE TRIGGER tally_new AFTER INSERT ON shard REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_shards();
CREATE TRIGGER tally_changed AFTER UPDATE ON shard REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_shards();
CREATE TRIGGER tally_begun AFTER INSERT ON job FOR EACH ROW EXECUTE FUNCTION begin_tally();

-- Who waits for whom, also when programs of the release before say so.
CREATE TRIGGER dependency_noted AFTER INSERT ON job_dependency FOR EACH ROW EXECUTE FUNCTION note_dependency();
CREATE TRIGGER needs_noted AFTER INSERT ON job_need REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_needs();

-- Leases begin at the observed time.
CREATE TRIGGER lease_begun BEFORE INSERT ON worker FOR EACH ROW EXECUTE FUNCTION begin_lease();

-- What is history stays as it was written, and is never deleted, but moved by those that have a permit.
CREATE TRIGGER immutable BEFORE UPDATE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER permanent BEFORE DELETE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER permanent BEFORE DELETE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON job_spec FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON shard_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER whole BEFORE TRUNCATE ON schedule_fire FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER immutable BEFORE UPDATE ON store_identity FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER permanent BEFORE DELETE OR TRUNCATE ON store_identity
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER immutable BEFORE UPDATE ON withdrawn_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER permanent BEFORE DELETE OR TRUNCATE ON withdrawn_result
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();
