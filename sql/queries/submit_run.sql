SELECT outcome, place FROM submit_run($1::text, $2::text, $3::text, $4::text, $5::int4, $6::text, $7::text, $8::text[],
    $9::json)
