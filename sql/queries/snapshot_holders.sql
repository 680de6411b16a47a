-- What keeps dead rows in place, or locks: the longer, the slower every claim becomes. $1: seconds that nobody minds.
SELECT 'session' AS kind,
    format('process %s (%s%s)', pid, usename, coalesce(', ' || nullif(application_name, ''), '')) AS name,
    coalesce(state, '') AS state, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds,
    coalesce(age(backend_xmin), 0)::int8 AS transactions
FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND xact_start < clock_timestamp() - make_interval(secs => $1::float8)
UNION ALL
SELECT 'prepared', format('%L (%s, database %s)', gid, owner, database), '',
    extract(epoch FROM clock_timestamp() - prepared)::float8, age(transaction)::int8
FROM pg_prepared_xacts WHERE prepared < clock_timestamp() - make_interval(secs => $1::float8)
UNION ALL
SELECT 'slot', slot_name::text, CASE WHEN active THEN 'active' ELSE 'inactive' END, 0::float8,
    greatest(coalesce(age(xmin), 0), coalesce(age(catalog_xmin), 0))::int8
FROM pg_replication_slots WHERE NOT active OR age(xmin) > 100000 OR age(catalog_xmin) > 100000
UNION ALL
SELECT 'standby', coalesce(nullif(application_name, ''), client_addr::text, pid::text), '', 0::float8,
    age(backend_xmin)::int8
FROM pg_stat_replication WHERE age(backend_xmin) > 100000
ORDER BY transactions DESC, seconds DESC LIMIT 20
