SELECT place FROM begin_shards($1::uuid, $2::int8[], $3::int4[], $4::int4[])
