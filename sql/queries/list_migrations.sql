SELECT version, name, encode(sha256, 'hex') AS sha256, applied_at FROM schema_migration ORDER BY version
