-- Which database this is, and the adoption in force; its columns are null before the first one.
CREATE OR REPLACE FUNCTION database_identity() RETURNS TABLE (
    system_identifier bigint, database_oid bigint, database_name text, store_uuid uuid, database_uuid uuid,
    adopted_system bigint, adopted_oid bigint, path text, adopted_by text, adopted_at timestamptz
) LANGUAGE sql STABLE AS $$
    SELECT s.system_identifier, d.oid::int8, d.datname::text, i.store_uuid, i.database_uuid, i.system_identifier,
        i.database_oid::int8, i.path, i.adopted_by, i.adopted_at
    FROM pg_control_system() s
    JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN (SELECT * FROM store_identity a ORDER BY a.adoption_id DESC LIMIT 1) i ON true
$$;
