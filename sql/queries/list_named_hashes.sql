-- Every sha256 that a specification, a schedule or the registry of data sets names, whatever it stands for there.
SELECT DISTINCT m.found[1] AS sha256
FROM (
    SELECT specification AS text FROM job_spec
    UNION ALL SELECT specification FROM run
    UNION ALL SELECT template::text FROM schedule) t
CROSS JOIN LATERAL regexp_matches(t.text, '[0-9a-f]{64}', 'g') AS m (found)
UNION
SELECT encode(d.sha256, 'hex') FROM data_set_split d
