-- What submissions ask for at their end, as what their jobs wait for may have ended already.
CREATE OR REPLACE FUNCTION open_gates() RETURNS integer LANGUAGE sql AS 'SELECT open_due_gates()::integer';
