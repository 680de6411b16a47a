SELECT retry_jobs($1::text, $2::int4, $3::bool) AS changed
