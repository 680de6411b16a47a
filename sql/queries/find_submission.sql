SELECT name, encode(submission_sha256, 'hex') AS submission_sha256 FROM run WHERE run_id = $1::text
