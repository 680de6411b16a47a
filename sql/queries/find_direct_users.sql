-- Roles that were given the right to change tables by hand, which was the only way before roles had abilities.
SELECT DISTINCT r.rolname::text AS role
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.oid = 'shard'::regclass AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE') AND a.grantee <> c.relowner
    AND NOT EXISTS (SELECT 1 FROM grantee g WHERE g.role_name = r.rolname)
ORDER BY 1
