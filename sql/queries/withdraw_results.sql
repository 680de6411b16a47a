SELECT withdraw_results($1::text, $2::int4, $3::int4[], $4::int4[], $5::uuid[], $6::text[], $7::text, $8::bool) AS withdrawn
