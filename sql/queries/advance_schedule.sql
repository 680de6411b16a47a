UPDATE schedule SET next_at = $2::timestamptz, look_at = $3::timestamptz, waiting_at = $4::timestamptz,
    waiting_kind = $5::text
WHERE schedule_id = $1::int8
