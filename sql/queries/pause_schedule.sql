SELECT pause_schedule($1::int8, $2::text, $3::text)
