-- What any process does now and then: each chore is a statement of its own with bounded work, one process at a time does it,
-- and what fails is written down, and holds up nothing else.

-- Does a chore, if it is due or forced and nobody else is at it; answers what it changed, or nothing when it was not done.
-- Nobody waits for the disk: what a crash of the server undoes is due again, and done again. Only shards that were taken
-- from the dead must not be theirs again: somebody may have computed them since.
CREATE OR REPLACE FUNCTION run_chore(p_name text, p_is_forced boolean) RETURNS TABLE (what text, changed bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_start timestamptz := clock_timestamp();
    v_reaped record;
    v_count bigint;
BEGIN
    IF p_name <> 'workers' THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    IF p_is_forced THEN
        PERFORM 1 FROM chore c WHERE c.name = p_name FOR NO KEY UPDATE;
    ELSE
        PERFORM 1 FROM chore c WHERE c.name = p_name AND c.name IN (SELECT due_chores())
        FOR NO KEY UPDATE SKIP LOCKED;
    END IF;
    -- Somebody may have done it between the look and the lock: the row's lock alone does not look at the others' work again.
    IF NOT FOUND OR NOT p_is_forced AND p_name NOT IN (SELECT due_chores()) THEN
        RETURN;
    END IF;
    CASE p_name
    WHEN 'workers' THEN
        SELECT * INTO v_reaped FROM reap_workers(1000, 10000);
        v_count := v_reaped.workers + v_reaped.requeued + v_reaped.held;
        RETURN QUERY VALUES ('workers', v_reaped.workers::bigint), ('requeued', v_reaped.requeued::bigint),
            ('held', v_reaped.held::bigint);
    WHEN 'promotion' THEN v_count := promote_shards(10000, 10);
    WHEN 'tallies' THEN v_count := roll_up(1000);
    WHEN 'gates' THEN v_count := open_due_gates();
    WHEN 'charges' THEN v_count := charge_usage(10000);
    WHEN 'cancellations' THEN v_count := sweep_cancelled_jobs(10000);
    WHEN 'mending' THEN v_count := mend_jobs(1000);
    WHEN 'archive' THEN v_count := move_archived_shards(5000);
    WHEN 'statistics' THEN v_count := refresh_statistics();
    WHEN 'departures' THEN v_count := forget_workers(1000);
    ELSE RAISE EXCEPTION 'there is no chore %', p_name USING ERRCODE = 'invalid_parameter_value';
    END CASE;
    UPDATE chore c SET succeeded_at = clock_timestamp(), changed = v_count,
        seconds = extract(epoch FROM clock_timestamp() - v_start), failed_at = NULL, error = NULL
    WHERE c.name = p_name;
    IF p_name <> 'workers' THEN
        RETURN QUERY SELECT p_name, v_count;
    END IF;
END $$;
