-- No row when the run exists already.
INSERT INTO run (run_id, project_id, name, user_name, tier, submission_sha256, specification)
SELECT $1::text, p.project_id, $3::text, $4::text, $5::int2, decode($6::text, 'hex'), $7::text
FROM project p WHERE p.name = $2::text
ON CONFLICT (run_id) DO NOTHING
RETURNING run_id
