-- Who has locks on the queue's tables, or is migrating it, the oldest transactions first.
SELECT a.pid, coalesce(a.usename::text, '') AS role, coalesce(a.application_name, '') AS program,
    coalesce(host(a.client_addr), 'this machine') AS client, coalesce(a.state, '') AS state,
    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start)::float8, 0) AS seconds
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid() AND a.pid IN (
    SELECT l.pid FROM pg_locks l
    LEFT JOIN pg_class c ON l.locktype = 'relation' AND c.oid = l.relation
    WHERE l.granted AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        AND (c.relnamespace = current_schema()::regnamespace OR (l.locktype = 'advisory'
            AND (l.classid::int8 << 32) + l.objid::int8 = hashtextextended('assay.migrations.' || current_schema(), 0))))
ORDER BY a.xact_start NULLS LAST LIMIT 3
