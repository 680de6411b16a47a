INSERT INTO job_spec (sha256, specification) VALUES (decode($1::text, 'hex'), $2::text) ON CONFLICT (sha256) DO NOTHING
