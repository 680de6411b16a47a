SELECT commit_shard($1::int8, $2::int4, $3::int4, $4::uuid, $5::text, $6::int8, decode($7::text, 'hex'), $8::text,
    $9::int4, $10::int8, $11::float8) AS outcome
