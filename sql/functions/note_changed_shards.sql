CREATE OR REPLACE FUNCTION note_changed_shards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_change (
        job_id, blocked, ready, running, done, failed, cancelled, held, samples_done, tokens_done)
    SELECT c.job_id,
        sum(CASE c.state WHEN 'blocked' THEN c.sign ELSE 0 END), sum(CASE c.state WHEN 'ready' THEN c.sign ELSE 0 END),
        sum(CASE c.state WHEN 'running' THEN c.sign ELSE 0 END), sum(CASE c.state WHEN 'done' THEN c.sign ELSE 0 END),
        sum(CASE c.state WHEN 'failed' THEN c.sign ELSE 0 END),
        sum(CASE c.state WHEN 'cancelled' THEN c.sign ELSE 0 END), sum(CASE c.state WHEN 'held' THEN c.sign ELSE 0 END),
        sum(c.sign * c.samples_done), sum(c.sign * c.tokens_done)
    FROM (
        SELECT n.job_id, n.state, n.samples_done, n.tokens_done, 1 AS sign FROM new_rows n
        UNION ALL
        SELECT o.job_id, o.state, o.samples_done, o.tokens_done, -1 FROM old_rows o) c
    GROUP BY c.job_id;
    RETURN NULL;
END $$;
