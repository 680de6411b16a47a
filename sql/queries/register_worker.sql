SELECT register_worker($1::uuid, $2::text, $3::int4, $4::text, $5::text, $6::text[], $7::int4, $8::text, $9::text[],
    $10::float8, $11::int4, $12::text) AS worker_id
