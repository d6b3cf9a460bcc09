-- name: may_sign_in
-- Whether a role may sign in.
SELECT rolcanlogin FROM pg_roles WHERE rolname = $1

-- name: let_sign_in
-- The words that let role $1 sign in with a password ($2), and take roles $3 when it says so.
SELECT format('ALTER ROLE %I LOGIN PASSWORD %L;', $1::text, $2::text)
       || string_agg(format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE;', taken, $1::text), '')
FROM unnest($3::text[]) AS taken
