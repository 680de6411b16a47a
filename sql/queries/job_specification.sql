SELECT p.specification FROM job j JOIN job_spec p ON p.sha256 = j.spec_sha256 WHERE j.job_id = $1::int8
