SELECT deregister_worker($1::int8, $2::uuid, $3::text)
