-- When whoever is signed in last proved by a full login who they are: a new role or an unlocked
-- screen begins a new session, and proves nothing anew. Of sessions from before it is not known.
ALTER TABLE session ADD COLUMN proved_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00Z';
