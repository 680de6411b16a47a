-- Who waits for a lock makes everybody wait who comes later: migrations give up soon and try again.
SELECT set_config('lock_timeout', $1::text, true)
