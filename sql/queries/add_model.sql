SELECT add_model($1::text, $2::text, $3::text, $4::int8, $5::text, $6::int8, $7::int4, $8::int4, $9::text, $10::text,
    $11::bool) AS changed
