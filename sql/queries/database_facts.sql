-- What the server is, as far as it has a bearing on the queue. Settings of the session itself are those before it made
-- its own (reset_val).
SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS is_standby,
    current_setting('max_connections')::int4 - current_setting('superuser_reserved_connections')::int4 AS connection_limit,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int4 AS connections,
    (SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND datname = current_database())::int4 AS connections_here,
    (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database_limit,
    (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user) AS role_limit,
    current_setting('fsync') = 'on' AS fsync, current_setting('full_page_writes') = 'on' AS full_page_writes,
    current_setting('autovacuum') = 'on' AS autovacuum, current_setting('track_counts') = 'on' AS track_counts,
    (SELECT coalesce(array_agg(name || '=' || reset_val ORDER BY name), '{}') FROM pg_settings
    WHERE (name, reset_val) NOT IN (
            ('default_transaction_isolation', 'read committed'), ('default_transaction_read_only', 'off'),
            ('standard_conforming_strings', 'on'), ('session_replication_role', 'origin'), ('array_nulls', 'on'),
            ('transform_null_equals', 'off'), ('row_security', 'on'))
        AND (name <> 'synchronous_commit' OR reset_val = 'off')
        AND name IN (
            'default_transaction_isolation', 'default_transaction_read_only', 'standard_conforming_strings',
            'session_replication_role', 'array_nulls', 'transform_null_equals', 'row_security', 'synchronous_commit'))
    AS overridden,
    (SELECT coalesce(array_agg(relname || ' (' || n_dead_tup || ' dead rows, ' || n_live_tup || ' live)'
        ORDER BY n_dead_tup DESC), '{}') FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND n_dead_tup > 10000 + n_live_tup) AS bloated,
    pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER') AS sees_all
