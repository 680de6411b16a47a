SELECT name, config, split, encode(sha256, 'hex') AS sha256, row_count, columns, source, user_name, added_at
FROM data_set_split
WHERE $1::text IS NULL OR (name = $1::text AND config = $2::text)
ORDER BY name, config, split
