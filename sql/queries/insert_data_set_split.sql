-- With $9 true the split means the new rows from now on. No row when it is there already.
INSERT INTO data_set_split (name, config, split, sha256, row_count, columns, source, user_name)
VALUES ($1::text, $2::text, $3::text, decode($4::text, 'hex'), $5::int8, $6::text[], $7::text, $8::text)
ON CONFLICT (name, config, split) DO UPDATE SET sha256 = excluded.sha256, row_count = excluded.row_count,
    columns = excluded.columns, source = excluded.source, user_name = excluded.user_name, added_at = excluded.added_at
WHERE $9::bool AND data_set_split.sha256 <> excluded.sha256
RETURNING split
