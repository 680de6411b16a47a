SELECT resume_schedule($1::int8)
