-- Runs that one process alone can work on.

-- Cancels what commands that score results again have left behind when they died, a few runs at a time, and answers how
-- many: a label that only the command's own worker has is needed for each of their jobs.
CREATE OR REPLACE FUNCTION cancel_abandoned_rescorings(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_run text;
    v_count integer := 0;
BEGIN
    FOR v_run IN
        SELECT DISTINCT j.run_id
        FROM job j JOIN run r USING (run_id) JOIN job_spec p ON p.sha256 = j.spec_sha256
            CROSS JOIN LATERAL unnest(j.need_labels) AS l (label)
        WHERE j.is_runnable AND l.label ~ '^rescoring-[0-9a-z]{8}$' AND p.specification LIKE '%"rescoredFrom":%'
            -- A command submits its run and then registers.
            AND r.submitted_at < clock_timestamp() - interval '5 minutes'
            AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.state = 'live' AND w.labels @> ARRAY[l.label])
        ORDER BY j.run_id LIMIT p_limit
    LOOP
        PERFORM cancel_work(v_run, NULL, 'the command that scored it again ended before it was done', 0);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;
