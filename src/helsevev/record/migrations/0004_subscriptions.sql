-- Topic-based subscriptions: what each listens to, its events in their order, and how far they
-- have been delivered. Events are made from the change feed, and kept until they are delivered.

-- How far the change feed has been read; whoever holds the row makes the events. `generation`
-- tells that a subscription was added, changed or taken away.
CREATE TABLE subscription_reader (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    xid bigint NOT NULL,
    seq bigint NOT NULL,
    generation bigint NOT NULL DEFAULT 0
);

INSERT INTO subscription_reader (xid, seq)
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 4611686018427387904;

-- A subscription: on whose behalf it listens to what, since when, and how far it was sent.
CREATE TABLE subscription (
    id text PRIMARY KEY,
    from_xid bigint NOT NULL,
    last_event bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz,
    failing_since timestamptz,
    last_sent_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    status text NOT NULL,
    shown_status text NOT NULL DEFAULT 'requested',
    error text NOT NULL DEFAULT '',
    topic text NOT NULL,
    owner_id text NOT NULL,
    owner jsonb NOT NULL,
    asked jsonb NOT NULL
);

CREATE INDEX subscription_of_owner ON subscription (owner_id);

-- What a subscription is to be told of: a version of a resource, by the event's number.
CREATE TABLE subscription_event (
    number bigint NOT NULL,
    patient bigint NOT NULL,
    at timestamptz NOT NULL,
    version integer NOT NULL,
    verb text NOT NULL,
    subscription text NOT NULL REFERENCES subscription ON DELETE CASCADE,
    type text NOT NULL,
    id text NOT NULL,
    PRIMARY KEY (subscription, number)
);

-- What a receiver is to be told in headers; beside the record, so that no answer can show it.
CREATE TABLE subscription_header (
    subscription text NOT NULL REFERENCES subscription ON DELETE CASCADE,
    place integer NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (subscription, place)
);

-- Undelivered events of a subscription that was given up, until somebody has seen to them.
CREATE TABLE subscription_dead_letter (
    first_event bigint NOT NULL,
    last_event bigint NOT NULL,
    at timestamptz NOT NULL,
    settled_at timestamptz,
    subscription text NOT NULL REFERENCES subscription ON DELETE CASCADE,
    owner_id text NOT NULL,
    owner_name text NOT NULL,
    reason text NOT NULL,
    settled_by text NOT NULL DEFAULT '',
    PRIMARY KEY (subscription, first_event)
);
