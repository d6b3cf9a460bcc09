-- name: begin_attempt
-- A sign-in under way; only the hash of its cookie is kept.
INSERT INTO sign_in_attempt (token_hash, expires_at, kind, data) VALUES ($1, $2, $3, $4::jsonb)

-- name: take_attempt
-- What a sign-in under way remembers, once.
DELETE FROM sign_in_attempt WHERE token_hash = $1 AND kind = $2 RETURNING data, expires_at

-- name: read_attempt
-- What a sign-in under way remembers, while it lasts.
SELECT data FROM sign_in_attempt WHERE token_hash = $1 AND kind = $2 AND expires_at > $3

-- name: end_old_attempts
-- Sign-ins that were never finished.
DELETE FROM sign_in_attempt WHERE expires_at <= $1

-- name: remember_on_device
-- A full login on a device: quick re-login is possible there until the shift ends.
INSERT INTO device_login (device, person, ends_at, used_at, actor, roles, provider_session)
VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7)
ON CONFLICT (device, person) DO UPDATE SET
    ends_at = excluded.ends_at, used_at = excluded.used_at, actor = excluded.actor,
    roles = excluded.roles, provider_session = excluded.provider_session, wrong_pins = 0

-- name: on_device
-- Who may come back quickly on a device, last used first, and with what.
SELECT d.person, d.actor, d.roles, d.ends_at, d.wrong_pins, d.page, d.provider_session,
       p.digits, p.hash,
       EXISTS (SELECT FROM passkey k WHERE k.person = d.person) AS has_passkey
FROM device_login d LEFT JOIN quick_pin p ON p.person = d.person
WHERE d.device = $1 AND d.ends_at > $2 AND ($3::text IS NULL OR d.person = $3)
ORDER BY d.used_at DESC

-- name: count_wrong_pin
-- One more try, counted before it is looked at, so that tries at once cannot go beyond the limit.
UPDATE device_login SET wrong_pins = wrong_pins + 1
WHERE device = $1 AND person = $2 AND wrong_pins < $3 RETURNING wrong_pins

-- name: came_back
-- Back on a device: tries are forgotten, the page that was left is returned and forgotten.
UPDATE device_login AS d SET wrong_pins = 0, used_at = $3, page = ''
FROM (SELECT page FROM device_login WHERE device = $1 AND person = $2 FOR UPDATE) AS before
WHERE d.device = $1 AND d.person = $2 RETURNING before.page

-- name: leave_page
-- The page at which somebody's session locked, and the role worked in, for when they come back.
UPDATE device_login SET page = $3, actor = $4::jsonb WHERE device = $1 AND person = $2

-- name: forget_person
-- Nobody comes back quickly as this person on this device, or on any.
DELETE FROM device_login WHERE person = $1 AND ($2::text IS NULL OR device = $2)

-- name: forget_provider_session
-- What rests on a session that its provider has ended.
DELETE FROM device_login WHERE provider_session = $1

-- name: end_old_device_logins
-- Shifts that are over.
DELETE FROM device_login WHERE ends_at <= $1

-- name: set_pin
-- Somebody's PIN.
INSERT INTO quick_pin (person, hash, digits, set_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (person) DO UPDATE SET
    hash = excluded.hash, digits = excluded.digits, set_at = excluded.set_at

-- name: pin
-- Whether and when somebody has set a PIN.
SELECT digits, set_at FROM quick_pin WHERE person = $1

-- name: remove_pin
-- Somebody no longer has a PIN.
DELETE FROM quick_pin WHERE person = $1

-- name: add_passkey
-- A passkey of somebody's.
INSERT INTO passkey (id, person, public_key, sign_count, name, added_at)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: passkeys
-- Somebody's passkeys.
SELECT id, name, added_at, used_at FROM passkey WHERE person = $1 ORDER BY added_at

-- name: passkey
-- A passkey by its id.
SELECT person, public_key, sign_count FROM passkey WHERE id = $1

-- name: used_passkey
-- A passkey was used; its counter only grows.
UPDATE passkey SET sign_count = $2, used_at = $3 WHERE id = $1

-- name: remove_passkey
-- Somebody's passkey is gone.
DELETE FROM passkey WHERE id = $1 AND person = $2

-- name: set_codes
-- A new secret for somebody's one-time codes, not confirmed yet.
INSERT INTO one_time_code (person, secret, last_step) VALUES ($1, $2, 0)
ON CONFLICT (person) DO UPDATE SET
    secret = excluded.secret, last_step = 0, wrong = 0, wrong_at = NULL, confirmed_at = NULL

-- name: codes
-- The secret of somebody's one-time codes.
SELECT secret, last_step, wrong, wrong_at, confirmed_at FROM one_time_code WHERE person = $1

-- name: take_step
-- A code is used, once: the step must be later than any before.
UPDATE one_time_code SET last_step = $2, wrong = 0, confirmed_at = coalesce(confirmed_at, $3)
WHERE person = $1 AND last_step < $2 RETURNING person

-- name: count_wrong_code
-- One more try, counted before it is looked at, so that tries at once cannot go beyond the limit;
-- no row while the person rests.
UPDATE one_time_code SET wrong = CASE WHEN wrong < $3 THEN wrong + 1 ELSE 1 END, wrong_at = $2
WHERE person = $1 AND (wrong < $3 OR wrong_at <= $4) RETURNING wrong

-- name: remove_codes
-- Somebody has no one-time codes any longer.
DELETE FROM one_time_code WHERE person = $1

-- name: raise_alarm
-- Something an administrator has to look at.
INSERT INTO security_alarm (id, at, kind, person, person_name, organisation, told)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: alarms
-- The newest alarms; those that nobody has looked at first.
SELECT id, at, kind, person, person_name, organisation, told, seen_at
FROM security_alarm ORDER BY seen_at IS NOT NULL, at DESC LIMIT $1

-- name: seen_alarm
-- Somebody has looked at an alarm.
UPDATE security_alarm SET seen_at = $2 WHERE id = $1 AND seen_at IS NULL
