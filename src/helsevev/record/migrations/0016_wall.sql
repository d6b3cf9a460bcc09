-- The wall below the application: those who ask on somebody's behalf look through windows, each of
-- which shows the rows about the inhabitants of setting `helsevev.scope`, and have no right to the
-- tables behind them. Why windows, and not policies: docs/decisions/0020.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'helsevev_asker') THEN
        CREATE ROLE helsevev_asker NOLOGIN NOINHERIT;
    END IF;
    IF NOT pg_has_role(current_user, 'helsevev_asker', 'SET') THEN
        GRANT helsevev_asker TO CURRENT_USER;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        -- Another database of this server was brought forward at the same moment.
        NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE =
            'the role helsevev_asker is missing or not granted, and ' || current_user
            || ' may not see to it. Let an administrator of the server run:'
            || ' CREATE ROLE helsevev_asker NOLOGIN NOINHERIT; GRANT helsevev_asker TO '
            || quote_ident(current_user) || '; and start again';
END$$;

CREATE SCHEMA shown;

GRANT USAGE ON SCHEMA shown TO helsevev_asker;

-- Whom the transaction may see, in order; without the setting nobody.
CREATE FUNCTION shown.scope() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT string_to_array(current_setting('helsevev.scope', true), ',')::bigint[]$$;

CREATE VIEW shown.resource AS SELECT * FROM resource
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.resource_history AS SELECT * FROM resource_history
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.search_string AS SELECT * FROM search_string
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.search_date AS SELECT * FROM search_date
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.search_quantity AS SELECT * FROM search_quantity
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.search_text AS SELECT * FROM search_text
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.change AS SELECT * FROM change
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.audit_event AS SELECT * FROM audit_event
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.treatment_relation AS SELECT * FROM treatment_relation
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.emergency_access AS SELECT * FROM emergency_access
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.stated_relation AS SELECT * FROM stated_relation
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.record_block AS SELECT * FROM record_block
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.representation AS SELECT * FROM representation
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.replaced_person AS SELECT * FROM replaced_person
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

GRANT SELECT ON ALL TABLES IN SCHEMA shown TO helsevev_asker;

-- What is about no inhabitant, and is read together with what is.
GRANT SELECT ON token_set, coding, audit_origin TO helsevev_asker;

-- Should somebody be granted a table about inhabitants by mistake, they see no row of it: without a
-- policy only the owner does.
ALTER TABLE resource ENABLE ROW LEVEL SECURITY;

ALTER TABLE resource_history ENABLE ROW LEVEL SECURITY;

ALTER TABLE directory ENABLE ROW LEVEL SECURITY;

ALTER TABLE search_string ENABLE ROW LEVEL SECURITY;

ALTER TABLE search_date ENABLE ROW LEVEL SECURITY;

ALTER TABLE search_quantity ENABLE ROW LEVEL SECURITY;

ALTER TABLE search_text ENABLE ROW LEVEL SECURITY;

ALTER TABLE search_indexing ENABLE ROW LEVEL SECURITY;

ALTER TABLE extraction ENABLE ROW LEVEL SECURITY;

ALTER TABLE change ENABLE ROW LEVEL SECURITY;

ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE audit_finding ENABLE ROW LEVEL SECURITY;

ALTER TABLE audit_question ENABLE ROW LEVEL SECURITY;

ALTER TABLE treatment_relation ENABLE ROW LEVEL SECURITY;

ALTER TABLE emergency_access ENABLE ROW LEVEL SECURITY;

ALTER TABLE stated_relation ENABLE ROW LEVEL SECURITY;

ALTER TABLE draft ENABLE ROW LEVEL SECURITY;

ALTER TABLE last_look ENABLE ROW LEVEL SECURITY;

ALTER TABLE replaced_person ENABLE ROW LEVEL SECURITY;

ALTER TABLE record_block ENABLE ROW LEVEL SECURITY;

ALTER TABLE representation ENABLE ROW LEVEL SECURITY;

ALTER TABLE subscription_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE terminology_resource ENABLE ROW LEVEL SECURITY;
