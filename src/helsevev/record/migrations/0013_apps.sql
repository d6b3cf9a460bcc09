-- Apps and systems that act for people or for themselves, what each was granted, and their tokens.

-- An app or system as it was registered, with what it may be let in by.
CREATE TABLE app_client (
    id text PRIMARY KEY,
    changed_at timestamptz NOT NULL,
    active boolean NOT NULL,
    registration jsonb NOT NULL,
    secret_hash bytea
);

-- What one app may do for one actor. It goes with the session it was given in, unless it lasts.
CREATE TABLE app_grant (
    id text PRIMARY KEY,
    client text NOT NULL REFERENCES app_client ON DELETE CASCADE,
    actor_id text NOT NULL,
    actor jsonb NOT NULL,
    context jsonb NOT NULL,
    session bytea REFERENCES session ON DELETE CASCADE ON UPDATE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz
);

CREATE INDEX app_grant_of_actor ON app_grant (actor_id);
CREATE INDEX app_grant_of_client ON app_grant (client);
CREATE INDEX app_grant_of_session ON app_grant (session) WHERE session IS NOT NULL;

-- What can be handed in once: launches, authorization codes, refresh tokens; only hashes are kept.
-- One that was used stays until it expires, so that a second use is known for what it is.
CREATE TABLE app_ticket (
    hash bytea PRIMARY KEY,
    kind text NOT NULL,
    client text NOT NULL REFERENCES app_client ON DELETE CASCADE,
    app_grant text REFERENCES app_grant ON DELETE CASCADE,
    session bytea REFERENCES session ON DELETE CASCADE ON UPDATE CASCADE,
    content jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE INDEX app_ticket_of_grant ON app_ticket (app_grant);
CREATE INDEX app_ticket_of_session ON app_ticket (session) WHERE session IS NOT NULL;
CREATE INDEX app_ticket_by_end ON app_ticket (expires_at);

-- Assertions by which systems have said who they are, until they would be too old anyway.
CREATE TABLE app_assertion (
    client text NOT NULL REFERENCES app_client ON DELETE CASCADE,
    jti text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (client, jti)
);

ALTER TABLE api_token ADD COLUMN app_grant text REFERENCES app_grant ON DELETE CASCADE;

CREATE INDEX api_token_of_grant ON api_token (app_grant) WHERE app_grant IS NOT NULL;

-- Who goes on in another role has left the apps of the first behind.
CREATE FUNCTION end_apps_of_role() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
    DELETE FROM app_grant WHERE session = OLD.token_hash;
    DELETE FROM app_ticket WHERE session = OLD.token_hash;
    RETURN NEW;
END$$;

CREATE TRIGGER session_role_changed AFTER UPDATE OF actor ON session FOR EACH ROW
WHEN (
    (OLD.actor ->> 'id', OLD.actor ->> 'practitioner_role', OLD.actor ->> 'organisation',
     OLD.actor ->> 'unit_name')
    IS DISTINCT FROM
    (NEW.actor ->> 'id', NEW.actor ->> 'practitioner_role', NEW.actor ->> 'organisation',
     NEW.actor ->> 'unit_name')
)
EXECUTE FUNCTION end_apps_of_role();
