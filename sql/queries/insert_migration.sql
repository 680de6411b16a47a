INSERT INTO schema_migration (version, name, sha256) VALUES ($1::int4, $2::text, decode($3::text, 'hex'))
