-- Counts the tables that claims work in, where the planner knows nothing of them yet or they have changed much since:
-- autovacuum comes a minute late to a million new shards, and not at all where it is off.
CREATE OR REPLACE FUNCTION refresh_statistics() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_table text;
    v_count bigint := 0;
BEGIN
    FOR v_table IN
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
        WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname IN ('shard', 'job', 'job_tally', 'shard_result')
            AND (c.reltuples < 0 AND pg_relation_size(c.oid) > 0 OR s.n_mod_since_analyze > 5000 + 0.2 * c.reltuples)
    LOOP
        EXECUTE 'ANALYZE ' || v_table;
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;
