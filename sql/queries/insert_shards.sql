INSERT INTO shard (job_id, shard_no, row_start, row_count, project_id)
SELECT j.job_id, (range.number - 1)::int4, range.row_start, range.row_count, j.project_id
FROM job j, unnest($2::int4[], $3::int4[]) WITH ORDINALITY AS range (row_start, row_count, number)
WHERE j.job_id = $1::int8
