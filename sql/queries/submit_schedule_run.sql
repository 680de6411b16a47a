SELECT outcome, place FROM submit_schedule_run($1::int8, $2::text, $3::text, $4::int4, $5::text, $6::text, $7::text[],
    $8::json)
