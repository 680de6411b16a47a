SELECT release_jobs($1::text, $2::int4) AS changed
