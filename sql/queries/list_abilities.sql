SELECT session_user::text AS role, ability, has FROM abilities()
