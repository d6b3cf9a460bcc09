-- Tables about inhabitants that came after the wall (0016) are closed as the others are.
ALTER TABLE staff_standing ENABLE ROW LEVEL SECURITY;

-- Read as an array at once, not once a row.
CREATE OR REPLACE FUNCTION shown.scope() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT nullif(current_setting('helsevev.scope', true), '')::bigint[]$$;
