SELECT cancel_jobs($1::text, $2::int4, $3::text) AS changed
