SELECT advance_schedule($1::int8, $2::timestamptz, $3::timestamptz, $4::timestamptz, $5::text)
