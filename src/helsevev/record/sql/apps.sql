-- name: clients
-- Every registered app, by name.
SELECT id, active, registration, secret_hash FROM app_client ORDER BY registration ->> 'name', id

-- name: client
-- One registered app.
SELECT id, active, registration, secret_hash FROM app_client WHERE id = $1

-- name: keep_client
-- Register an app, or change its registration.
INSERT INTO app_client (id, changed_at, active, registration, secret_hash)
VALUES ($1, $2, $3, $4::jsonb, $5)
ON CONFLICT (id) DO UPDATE SET
    changed_at = excluded.changed_at, active = excluded.active,
    registration = excluded.registration, secret_hash = excluded.secret_hash

-- name: end_grants_of_client
-- Take back all that an app has been granted; codes and tokens go with it.
DELETE FROM app_grant WHERE client = $1

-- name: end_tickets_of_client
-- No launch of this app is worth anything any longer.
DELETE FROM app_ticket WHERE client = $1

-- name: add_grant
-- What an app may do for an actor.
INSERT INTO app_grant (id, client, actor_id, actor, context, session, created_at, expires_at)
SELECT $1, $2, $3, $4::jsonb, $5::jsonb, $6, $7, $8
FROM app_client WHERE id = $2 AND active FOR SHARE

-- name: grant
-- One grant that holds, of an app that is active.
SELECT g.id, g.client, g.actor, g.context, g.session, g.created_at, g.expires_at, g.last_used_at
FROM app_grant g JOIN app_client c ON c.id = g.client
WHERE g.id = $1 AND g.expires_at > $2 AND c.active

-- name: grants_of_actor
-- The grants of an actor that hold, newest first.
SELECT g.id, g.client, g.actor, g.context, g.session, g.created_at, g.expires_at, g.last_used_at
FROM app_grant g WHERE g.actor_id = $1 AND g.expires_at > $2 ORDER BY g.created_at DESC

-- name: used_grant
-- The app has just been given a token by this grant.
UPDATE app_grant SET last_used_at = $2 WHERE id = $1

-- name: end_grant
-- Take back one grant; codes and tokens go with it.
DELETE FROM app_grant WHERE id = $1 RETURNING client, actor_id

-- name: session_lives
-- Whether somebody is signed in with this session.
SELECT EXISTS (SELECT FROM session WHERE token_hash = $1 AND expires_at > $2)

-- name: add_ticket
-- Something that can be handed in once.
INSERT INTO app_ticket (hash, kind, client, app_grant, session, content, expires_at)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)

-- name: use_ticket
-- Hand in what can be handed in once. Gives a row also when it was used before (used_before).
UPDATE app_ticket t SET used_at = coalesce(t.used_at, $3)
FROM (SELECT hash, used_at FROM app_ticket WHERE hash = $1 FOR UPDATE) AS before
WHERE t.hash = before.hash AND t.kind = $2
RETURNING t.client, t.app_grant, t.session, t.content, t.expires_at,
    before.used_at IS NOT NULL AS used_before

-- name: ticket
-- What a ticket is for, without using it.
SELECT client, app_grant, session, content, expires_at, used_at IS NOT NULL AS used_before
FROM app_ticket WHERE hash = $1 AND kind = $2

-- name: issue_app_token
-- A token for the API by a grant, as long as the grant is there.
INSERT INTO api_token (token_hash, created_at, expires_at, actor, app_grant)
SELECT $1, $2, $3, $4::jsonb, g.id FROM app_grant g WHERE g.id = $5 AND g.expires_at > $2

-- name: app_token
-- What an app's token is for, while it lasts.
SELECT t.actor, t.created_at, t.expires_at, g.id AS app_grant, g.client, g.context
FROM api_token t JOIN app_grant g ON g.id = t.app_grant JOIN app_client c ON c.id = g.client
WHERE t.token_hash = $1 AND t.expires_at > $2 AND c.active

-- name: end_token
-- An app gives a token back.
DELETE FROM api_token WHERE token_hash = $1 AND app_grant IS NOT NULL

-- name: keep_assertion
-- Remember by what a system said who it is; nothing comes back when it was said before.
INSERT INTO app_assertion (client, jti, expires_at) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING jti

-- name: forget_assertions
-- Assertions that are too old to be taken again.
DELETE FROM app_assertion WHERE expires_at <= $1

-- name: forget_tickets
-- Tickets that nobody can use any more, nor misuse.
DELETE FROM app_ticket WHERE expires_at <= $1

-- name: forget_grants
-- Grants that have ended, with their tokens.
DELETE FROM app_grant WHERE expires_at <= $1

-- name: subscriptions_of_app
-- The subscriptions that an app has asked for: all, or those for one actor.
SELECT id FROM subscription
WHERE owner ->> 'client' = $1 AND ($2 = '' OR owner ->> 'id' = $2) AND status <> 'off'
