-- Taking runs in: one call for a whole run, all of it or nothing.

-- Stores a run with all of its jobs and shards in the name of p_role. Answers 'stored'; 'same' when it was stored before;
-- 'other' when another run has this identifier; or 'missing' and which dependency (from 1, all jobs' one behind the
-- other) names nothing. With any answer but the first nothing was stored.
--
-- p_jobs is an array of objects with the keys of the record below, in the order of ordinals. "specification" is a place in
-- p_specifications, from 1. "shards" says how many shards in a row have how many rows, such as [[25, 39], [13, 1]]; they
-- lie one behind the other from row 0. "after" has objects with "run", "ordinal" (null for all of its jobs), "condition".
-- "mixed" says that the job's results may come from several engines; "work" is a sha256 over all that its samples depend on
-- but the engine. Programs that know nothing of them leave them out.
CREATE OR REPLACE FUNCTION store_run(
    p_run text, p_project text, p_name text, p_user text, p_role name, p_tier integer, p_sha256 text,
    p_specification text, p_specifications text[], p_jobs json
) RETURNS TABLE (outcome text, place integer) LANGUAGE plpgsql
-- By keys, however many rows there are: statistics know nothing of what has just come in.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    c_most_shards CONSTANT integer := 10000000;
    v_project integer;
    v_sha256s bytea[];
    v_job record;
    v_number bigint;
    v_shard integer;
    v_row integer;
    v_rows integer;
    v_count integer;
    v_waits boolean := false;
BEGIN
    RETURN QUERY SELECT CASE WHEN r.submission_sha256 = decode(p_sha256, 'hex') THEN 'same' ELSE 'other' END, NULL::integer
        FROM run r WHERE r.run_id = p_run;
    IF FOUND THEN
        RETURN;
    END IF;
    IF json_array_length(p_jobs) = 0 THEN
        RAISE EXCEPTION 'run % has no jobs', p_run USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT min(d.place) INTO place FROM (
        SELECT (row_number() OVER (ORDER BY j.place, d.place))::integer AS place, (j.place - 1)::integer AS ordinal,
            d.item ->> 'run' AS run_id, (d.item ->> 'ordinal')::integer AS needs
        FROM json_array_elements(p_jobs) WITH ORDINALITY AS j (item, place)
        CROSS JOIN LATERAL json_array_elements(j.item -> 'after') WITH ORDINALITY AS d (item, place)) d
    WHERE NOT CASE WHEN d.run_id = p_run THEN coalesce(d.needs >= 0 AND d.needs < d.ordinal, false)
        ELSE EXISTS (
            SELECT 1 FROM job j WHERE j.run_id = d.run_id AND (d.needs IS NULL OR j.ordinal = d.needs)) END;
    IF place IS NOT NULL THEN
        outcome := 'missing';
        RETURN NEXT;
        RETURN;
    END IF;

    v_project := ensure_project(p_project);
    PERFORM check_tier(v_project, p_tier, p_role);
    INSERT INTO run (run_id, project_id, name, user_name, submitted_by, tier, submission_sha256, specification)
    VALUES (p_run, v_project, p_name, p_user, p_role, p_tier, decode(p_sha256, 'hex'), p_specification)
    ON CONFLICT (run_id) DO NOTHING;
    IF NOT FOUND THEN
        -- Somebody stored it a moment ago.
        RETURN QUERY SELECT CASE WHEN r.submission_sha256 = decode(p_sha256, 'hex') THEN 'same' ELSE 'other' END,
            NULL::integer FROM run r WHERE r.run_id = p_run;
        RETURN;
    END IF;
    -- The hash is taken here: nobody can store one text under another's hash. In one order for all submitters, so that
    -- none waits for another in a circle.
    SELECT array_agg(sha256(convert_to(s.text, 'UTF8')) ORDER BY s.place) INTO v_sha256s
    FROM unnest(p_specifications) WITH ORDINALITY AS s (text, place);
    INSERT INTO job_spec (sha256, specification)
    SELECT DISTINCT ON (s.sha256) s.sha256, s.text FROM unnest(v_sha256s, p_specifications) AS s (sha256, text)
    ORDER BY s.sha256
    ON CONFLICT (sha256) DO NOTHING;

    FOR v_job IN
        SELECT (j.place - 1)::integer AS ordinal, r.*, coalesce(json_array_length(r.after) > 0, false) AS waits,
            n.shard_count, n.row_count
        FROM json_array_elements(p_jobs) WITH ORDINALITY AS j (item, place)
        CROSS JOIN LATERAL json_to_record(j.item) AS r (
            task text, model text, model_sha256 text, specification integer, samples integer, shards json, labels text[],
            gpu_mb integer, device text, max_attempts smallint, max_failures integer, after json, mixed boolean, work text)
        CROSS JOIN LATERAL (
            SELECT sum((s.item ->> 1)::bigint) AS shard_count, sum((s.item ->> 0)::bigint * (s.item ->> 1)::bigint) AS row_count
            FROM json_array_elements(r.shards) AS s (item)) n
        ORDER BY j.place
    LOOP
        IF v_job.row_count IS DISTINCT FROM v_job.samples OR v_job.shard_count > c_most_shards THEN
            RAISE EXCEPTION 'job %.% has % shards with % rows in all: its % rows must lie in at most % shards', p_run,
                v_job.ordinal, v_job.shard_count, v_job.row_count, v_job.samples, c_most_shards
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        INSERT INTO job (
            run_id, ordinal, project_id, tier, max_attempts, need_gpu_mb, sample_count, shard_count, task, model,
            model_sha256, spec_sha256, need_labels, need_device, max_failures, is_runnable, gate, gate_reason, work)
        VALUES (
            p_run, v_job.ordinal, v_project, p_tier, v_job.max_attempts, v_job.gpu_mb, v_job.samples, v_job.shard_count,
            v_job.task, v_job.model, decode(v_job.model_sha256, 'hex'), v_sha256s[v_job.specification], v_job.labels,
            v_job.device, v_job.max_failures, NOT v_job.waits, CASE WHEN v_job.waits THEN 'waiting' ELSE 'open' END,
            CASE WHEN v_job.waits THEN 'waits for other jobs' END, decode(v_job.work, 'hex'))
        RETURNING job_id INTO v_number;
        IF v_job.mixed THEN
            INSERT INTO job_engine (job_id, is_mixed) VALUES (v_number, true);
        END IF;
        v_shard := 0;
        v_row := 0;
        FOR v_rows, v_count IN
            SELECT (s.item ->> 0)::integer, (s.item ->> 1)::integer
            FROM json_array_elements(v_job.shards) WITH ORDINALITY AS s (item, place) ORDER BY s.place
        LOOP
            INSERT INTO shard (job_id, shard_no, row_start, row_count, project_id)
            SELECT v_number, v_shard + s.number, v_row + s.number * v_rows, v_rows, v_project
            FROM generate_series(0, v_count - 1) AS s (number);
            v_shard := v_shard + v_count;
            v_row := v_row + v_rows * v_count;
        END LOOP;
        IF v_job.waits THEN
            v_waits := true;
            -- Needing results outweighs needing an end.
            INSERT INTO job_need (job_id, needs_run, needs_ordinal, condition)
            SELECT v_number, d.item ->> 'run', (d.item ->> 'ordinal')::integer,
                CASE WHEN bool_or(d.item ->> 'condition' = 'ok') THEN 'ok' ELSE 'any' END
            FROM json_array_elements(v_job.after) AS d (item) GROUP BY 2, 3;
        END IF;
    END LOOP;
    IF v_waits THEN
        -- What they wait for may have ended already.
        PERFORM open_due_gates();
    END IF;
    PERFORM pg_notify('assay_submitted', p_run);
    outcome := 'stored';
    RETURN NEXT;
END $$;
