-- What ties people to an inhabitant besides who treats them, and what keeps them out.

-- Read model of Consent: whom an inhabitant has shut out (`grantee`, '*' for everyone), of the whole
-- record, of a category (`label`, its key's hash) or of one entry (`entry_type`, `entry_id`).
-- `exempt` rows name those whom a block for everyone spares.
CREATE TABLE record_block (
    patient bigint NOT NULL,
    start_at bigint NOT NULL,
    end_at bigint NOT NULL,
    label bigint NOT NULL,
    exempt boolean NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    grantee text NOT NULL,
    entry_type text NOT NULL,
    entry_id text NOT NULL
);

CREATE INDEX record_block_by_patient ON record_block (patient);

CREATE INDEX record_block_by_grantee ON record_block (grantee);

-- Relations that somebody stated: "I am treating this person now".
CREATE TABLE stated_relation (
    patient bigint NOT NULL,
    id bigint NOT NULL,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    actor text NOT NULL,
    organisation text NOT NULL,
    ground text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (patient, id)
);

CREATE INDEX stated_relation_by_actor ON stated_relation (actor, expires_at);

-- Read model of RelatedPerson: who acts for an inhabitant, by a hash of their national number.
CREATE TABLE representation (
    patient bigint NOT NULL,
    representative bigint NOT NULL,
    start_at bigint NOT NULL,
    end_at bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    kind text NOT NULL,
    scope text NOT NULL
);

CREATE INDEX representation_by_patient ON representation (patient);

CREATE INDEX representation_by_representative ON representation (representative);
