-- History: what is over leaves the tables that claims and commits work in. The runs and jobs themselves, their tallies
-- and their specifications stay where they are; nothing is lost, and everything is read through the views below.

CREATE TABLE archived_shard (LIKE shard INCLUDING CONSTRAINTS, PRIMARY KEY (job_id, shard_no));
CREATE TABLE archived_result (LIKE shard_result INCLUDING CONSTRAINTS, PRIMARY KEY (job_id, shard_no));
CREATE TABLE archived_attempt (LIKE attempt INCLUDING CONSTRAINTS, PRIMARY KEY (attempt_id));
CREATE INDEX archived_attempt_of_shard ON archived_attempt (job_id, shard_no, epoch);
CREATE INDEX run_to_archive ON run (submitted_at) WHERE archived_at IS NULL;

CREATE TRIGGER immutable BEFORE UPDATE ON archived_shard FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON archived_result FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON archived_attempt FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

CREATE VIEW every_shard AS SELECT * FROM shard UNION ALL SELECT * FROM archived_shard;
CREATE VIEW every_result AS SELECT * FROM shard_result UNION ALL SELECT * FROM archived_result;
CREATE VIEW every_attempt AS SELECT * FROM attempt UNION ALL SELECT * FROM archived_attempt;

-- Moves the shards, results and attempts of up to p_limit runs that ended at least so long ago; answers how many runs.
-- Runs with anything open or held stay, and so do those whose device time has not been charged yet.
CREATE FUNCTION archive_runs(p_older_than interval, p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_runs text[];
    v_jobs bigint[];
BEGIN
    SELECT array_agg(l.run_id) INTO v_runs FROM (
        SELECT r.run_id FROM run r
        WHERE r.archived_at IS NULL AND r.submitted_at < clock_timestamp() - p_older_than
            AND NOT EXISTS (
                SELECT 1 FROM job j JOIN job_counts c USING (job_id)
                WHERE j.run_id = r.run_id AND (c.blocked + c.ready + c.running + c.held > 0
                    OR c.ended_at > clock_timestamp() - p_older_than))
        ORDER BY r.submitted_at LIMIT p_limit FOR NO KEY UPDATE OF r SKIP LOCKED) l;
    IF v_runs IS NULL THEN
        RETURN 0;
    END IF;
    -- From here on nobody can wake these jobs: whoever tries waits for the run's row.
    SELECT array_agg(l.job_id) INTO v_jobs FROM (
        SELECT j.job_id FROM job j WHERE j.run_id = ANY (v_runs) ORDER BY j.job_id FOR NO KEY UPDATE) l;
    SELECT array_agg(r.run_id) INTO v_runs FROM run r
    WHERE r.run_id = ANY (v_runs) AND NOT EXISTS (
        SELECT 1 FROM job j WHERE j.run_id = r.run_id AND (
            EXISTS (
                SELECT 1 FROM shard s
                WHERE s.job_id = j.job_id AND s.state IN ('blocked', 'ready', 'running', 'held'))
            OR EXISTS (
                SELECT 1 FROM shard_result t
                WHERE t.job_id = j.job_id AND t.txid >= (SELECT m.charged_below FROM usage_mark m))
            OR EXISTS (
                SELECT 1 FROM attempt a
                WHERE a.job_id = j.job_id AND a.txid >= (SELECT m.charged_below FROM usage_mark m))));
    SELECT array_agg(j.job_id) INTO v_jobs FROM job j WHERE j.run_id = ANY (v_runs);
    WITH moved AS (DELETE FROM shard_result r WHERE r.job_id = ANY (v_jobs) RETURNING r.*)
    INSERT INTO archived_result SELECT * FROM moved;
    WITH moved AS (DELETE FROM attempt a WHERE a.job_id = ANY (v_jobs) RETURNING a.*)
    INSERT INTO archived_attempt SELECT * FROM moved;
    WITH moved AS (DELETE FROM shard s WHERE s.job_id = ANY (v_jobs) RETURNING s.*)
    INSERT INTO archived_shard SELECT * FROM moved;
    UPDATE job j SET is_runnable = false WHERE j.job_id = ANY (v_jobs) AND j.is_runnable;
    UPDATE run r SET archived_at = clock_timestamp() WHERE r.run_id = ANY (v_runs);
    RETURN coalesce(cardinality(v_runs), 0);
END $$;
