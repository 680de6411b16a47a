-- Only jobs that have something open are looked at, however many there were before them.
SELECT coalesce(sum(c.blocked + c.ready + c.running), 0)::int8 AS open
FROM job j JOIN job_counts c USING (job_id)
WHERE ($1::text IS NULL OR j.run_id = $1::text) AND j.job_id IN (
    SELECT t.job_id FROM job_tally t WHERE t.blocked + t.ready + t.running > 0
    UNION
    SELECT c.job_id FROM tally_change c)
