SELECT place, outcome FROM commit_shards($1::int8[], $2::int4[], $3::int4[], $4::uuid[], $5::text[], $6::int8[], $7::text[],
    $8::text[], $9::int4[], $10::int8[], $11::float8[])
