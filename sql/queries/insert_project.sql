INSERT INTO project (name) SELECT $1::text WHERE NOT EXISTS (SELECT 1 FROM project WHERE name = $1::text)
ON CONFLICT (name) DO NOTHING
