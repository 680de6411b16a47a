-- Every statement that changes shards appends what it changed to tally_change (a trigger does it, so nobody can forget);
-- roll_up() folds these lines into one row a job. Who reads adds the lines that are still there: the counts are exact at
-- any moment, and no two transactions ever wait for one counter.
CREATE OR REPLACE FUNCTION note_new_shards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_change (
        job_id, blocked, ready, running, done, failed, cancelled, held, samples_done, tokens_done)
    SELECT n.job_id,
        count(*) FILTER (WHERE n.state = 'blocked'), count(*) FILTER (WHERE n.state = 'ready'),
        count(*) FILTER (WHERE n.state = 'running'), count(*) FILTER (WHERE n.state = 'done'),
        count(*) FILTER (WHERE n.state = 'failed'), count(*) FILTER (WHERE n.state = 'cancelled'),
        count(*) FILTER (WHERE n.state = 'held'), sum(n.samples_done), sum(n.tokens_done)
    FROM new_rows n GROUP BY n.job_id;
    RETURN NULL;
END $$;
