SELECT add_schedule($1::text, $2::text, $3::text, $4::text, $5::int4, $6::int4, $7::text, $8::text, $9::text)
    AS schedule_id
