SELECT add_data_set_split($1::text, $2::text, $3::text, $4::text, $5::int8, $6::text[], $7::text, $8::text, $9::bool)
    AS changed
