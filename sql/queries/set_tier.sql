SELECT set_tier($1::text, $2::int4, $3::int4) AS changed
