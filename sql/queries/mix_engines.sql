SELECT mix_engines($1::text, $2::int4) AS changed
