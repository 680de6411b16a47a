SELECT adopt_store($1::uuid, $2::text, $3::text, $4::bool)
