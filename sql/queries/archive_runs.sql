SELECT archive_runs(make_interval(secs => $1::float8), $2::int4) AS archived
