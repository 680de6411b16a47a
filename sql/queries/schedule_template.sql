SELECT template FROM schedule WHERE name = $1::text AND removed_at IS NULL
