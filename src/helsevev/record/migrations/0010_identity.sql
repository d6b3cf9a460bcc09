-- How somebody was signed in, when their session was last used, and what it may be switched to.
-- Sessions last for a shift at most, so those there are hold little.
ALTER TABLE session
    ADD COLUMN id text NOT NULL DEFAULT gen_random_uuid()::text,
    ADD COLUMN person text NOT NULL DEFAULT '',
    ADD COLUMN method text NOT NULL DEFAULT 'demo',
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN locked_at timestamptz,
    ADD COLUMN device text NOT NULL DEFAULT '',
    ADD COLUMN roles jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN provider_session text NOT NULL DEFAULT '',
    ADD COLUMN id_token text NOT NULL DEFAULT '',
    ADD COLUMN attest jsonb;

UPDATE session SET person = actor ->> 'id' WHERE person = '';

CREATE INDEX session_of_person ON session (person);

CREATE INDEX session_of_provider ON session (provider_session) WHERE provider_session <> '';

-- A sign-in under way: what an answer is checked against, or which roles there are to choose from.
CREATE TABLE sign_in_attempt (
    token_hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    kind text NOT NULL,
    data jsonb NOT NULL
);

-- Who has signed in fully on which device in this shift, and may therefore come back quickly.
CREATE TABLE device_login (
    device text NOT NULL,
    person text NOT NULL,
    ends_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    actor jsonb NOT NULL,
    roles jsonb NOT NULL,
    provider_session text NOT NULL,
    wrong_pins integer NOT NULL DEFAULT 0,
    page text NOT NULL DEFAULT '',
    PRIMARY KEY (device, person)
);

-- The PINs that lead back to a device where somebody has signed in fully: hashed, with a pepper.
CREATE TABLE quick_pin (
    person text PRIMARY KEY,
    hash text NOT NULL,
    digits smallint NOT NULL,
    set_at timestamptz NOT NULL
);

-- Public keys of passkeys (WebAuthn), with the counter that only grows.
CREATE TABLE passkey (
    id bytea PRIMARY KEY,
    person text NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    name text NOT NULL,
    added_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE INDEX passkey_of_person ON passkey (person);

-- The secret of somebody's one-time codes, encrypted; a code's step is never taken twice.
CREATE TABLE one_time_code (
    person text PRIMARY KEY,
    secret bytea NOT NULL,
    last_step bigint NOT NULL,
    wrong integer NOT NULL DEFAULT 0,
    wrong_at timestamptz,
    confirmed_at timestamptz
);

-- What an administrator has to look at: each emergency login, each device with too many wrong PINs.
CREATE TABLE security_alarm (
    id bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    person text NOT NULL,
    person_name text NOT NULL,
    organisation text NOT NULL,
    told text NOT NULL,
    seen_at timestamptz
);
