-- Whose record another's was made part of: read model of Patient.link, for access decisions.
CREATE TABLE replaced_person (
    patient bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    target bigint NOT NULL
);

CREATE INDEX replaced_person_by_patient ON replaced_person (patient);
