-- Archives up to p_limit runs that ended at least so long ago; answers how many. From then on nothing about them changes.
-- Runs with anything open or held stay. Only the runs' own rows are written here: move_archived_shards() brings what they
-- have into the tables of history, in slices, and everybody who reads looks at both.
CREATE OR REPLACE FUNCTION archive_runs(p_older_than interval, p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_run record;
    v_count integer := 0;
BEGIN
    IF NOT role_may(session_user, 'operator') THEN
        -- What is archived can't be retried any more: workers may not bring that forward.
        p_older_than := greatest(p_older_than, interval '30 days');
    END IF;
    FOR v_run IN
        SELECT r.run_id FROM run r
        WHERE r.archived_at IS NULL AND r.submitted_at < v_now - p_older_than
            AND NOT EXISTS (
                SELECT 1 FROM job j JOIN job_counts c USING (job_id)
                WHERE j.run_id = r.run_id AND (NOT j.is_swept OR c.blocked + c.ready + c.running + c.held > 0
                    OR c.ended_at > v_now - p_older_than))
        ORDER BY r.submitted_at LIMIT p_limit FOR NO KEY UPDATE OF r SKIP LOCKED
    LOOP
        -- From here on nobody can wake these jobs: that takes the run's row first. Look again now that it is locked.
        PERFORM 1 FROM job j WHERE j.run_id = v_run.run_id ORDER BY j.job_id FOR NO KEY UPDATE;
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM job j JOIN job_counts c USING (job_id)
            WHERE j.run_id = v_run.run_id AND (NOT j.is_swept OR c.blocked + c.ready + c.running + c.held > 0));
        UPDATE job j SET is_runnable = false WHERE j.run_id = v_run.run_id AND j.is_runnable;
        UPDATE run r SET archived_at = v_now, is_moved = false WHERE r.run_id = v_run.run_id;
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;
