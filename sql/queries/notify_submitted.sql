SELECT pg_notify('assay_submitted', $1::text)
