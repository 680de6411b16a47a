-- Chores that are due. One that failed is tried again after its interval, like one that went well.
CREATE OR REPLACE FUNCTION due_chores() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT c.name FROM chore c
    WHERE NOT coalesce(
        greatest(c.succeeded_at, c.failed_at) BETWEEN clock_timestamp() - make_interval(secs => c.every_seconds)
            AND clock_timestamp(), false)
$$;
