SELECT g.role_name::text AS role, g.ability FROM grantee g ORDER BY 1, 2
