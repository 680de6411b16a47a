INSERT INTO schema_functions (sha256) VALUES (decode($1::text, 'hex'))
ON CONFLICT (is_only) DO UPDATE SET sha256 = excluded.sha256, made_at = excluded.made_at
