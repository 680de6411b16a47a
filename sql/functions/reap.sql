-- Everything at once, for workers of the release before. A chore that fails takes none of the others with it.
CREATE OR REPLACE FUNCTION reap() RETURNS TABLE (workers integer, requeued integer, held integer, promoted integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_name text;
    v_counts jsonb := '{}';
    v_count record;
BEGIN
    FOR v_name IN SELECT due_chores() LOOP
        BEGIN
            FOR v_count IN SELECT * FROM run_chore(v_name, false) LOOP
                v_counts := v_counts || jsonb_build_object(v_count.what, v_count.changed);
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            PERFORM note_chore_failure(v_name, SQLERRM);
        END;
    END LOOP;
    RETURN QUERY SELECT coalesce((v_counts ->> 'workers')::integer, 0), coalesce((v_counts ->> 'requeued')::integer, 0),
        coalesce((v_counts ->> 'held')::integer, 0), coalesce((v_counts ->> 'promotion')::integer, 0);
END $$;
