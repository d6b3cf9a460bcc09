-- The program owns nothing: what it does it does by roles, each with the rights of one errand. Why,
-- and which module uses which: docs/decisions/0025, record/roles.py.

DO $$
DECLARE
    role text;
    missing text := '';
BEGIN
    FOREACH role IN ARRAY ARRAY['program', 'author', 'finder', 'officer', 'whole'] LOOP
        role := 'helsevev_' || role;
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role);
            END IF;
            IF NOT pg_has_role(current_user, role, 'SET') THEN
                EXECUTE format('GRANT %I TO CURRENT_USER', role);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                -- Another database of this server was brought forward at the same moment.
                NULL;
            WHEN insufficient_privilege THEN
                missing := missing || format(' CREATE ROLE %I NOLOGIN NOINHERIT; GRANT %I TO %I;',
                                             role, role, current_user);
        END;
    END LOOP;
    IF missing <> '' THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE =
            'roles are missing or not granted, and ' || current_user
            || ' may not see to it. Let an administrator of the server run:' || missing
            || ' and start again';
    END IF;
END$$;

-- Who writes on somebody's behalf writes through the windows of 0016 too: a row about an inhabitant
-- who is not in the scope is refused, and one that is there is not found.
CREATE VIEW shown.draft AS SELECT * FROM draft
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.last_look AS SELECT * FROM last_look
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.audit_question AS SELECT * FROM audit_question
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.staff_standing AS SELECT * FROM staff_standing
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.terminology_resource AS SELECT * FROM terminology_resource
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

CREATE VIEW shown.directory AS SELECT * FROM directory
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

DO $$
DECLARE
    shown text;
BEGIN
    FOR shown IN SELECT viewname FROM pg_views WHERE schemaname = 'shown' LOOP
        EXECUTE format('ALTER VIEW shown.%I SET (check_option = local)', shown);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON shown.%I TO helsevev_author', shown);
    END LOOP;
END$$;

-- The trail is added to.
REVOKE UPDATE, DELETE ON shown.audit_event FROM helsevev_author;

GRANT USAGE ON SCHEMA shown TO helsevev_author;

GRANT SELECT ON ALL TABLES IN SCHEMA shown TO helsevev_asker;

-- What a search parameter is called and how far it is worked out is about nobody.
GRANT SELECT, INSERT, DELETE ON search_indexing TO helsevev_author;

GRANT SELECT, INSERT ON token_set, coding, audit_origin, idempotency_key TO helsevev_author;

GRANT SELECT, INSERT, UPDATE ON turn TO helsevev_author;

-- Lists of people, which show strangers what identifies somebody: of a record, the Patient.
CREATE SCHEMA people;

CREATE VIEW people.resource AS SELECT * FROM resource WHERE type = 'Patient';

CREATE VIEW people.search_string AS SELECT * FROM search_string WHERE type = 'Patient';

CREATE VIEW people.change AS SELECT patient, at, xid, seq FROM change;

GRANT USAGE ON SCHEMA people TO helsevev_finder, helsevev_officer;

GRANT SELECT ON ALL TABLES IN SCHEMA people TO helsevev_finder;

GRANT SELECT ON treatment_relation, emergency_access, stated_relation, representation, last_look
TO helsevev_finder;

-- Those who follow up the trail, and those who administer: whom it is about, organisations, staff.
CREATE SCHEMA office;

CREATE VIEW office.resource AS SELECT * FROM resource WHERE type = 'Patient' OR patient <= 0;

GRANT USAGE ON SCHEMA office TO helsevev_officer;

GRANT SELECT ON office.resource, audit_event, audit_origin, audit_batch, audit_checkpoint,
    treatment_relation, emergency_access, stated_relation, representation, record_block,
    replaced_person, staff_standing
TO helsevev_officer;

GRANT SELECT, INSERT, UPDATE, DELETE ON audit_finding, audit_question, audit_reader, audit_day
TO helsevev_officer;

-- What the gate decides by, and what it leaves behind: no content of any record.
GRANT SELECT ON treatment_relation, record_block, representation, replaced_person, staff_standing,
    directory, search_indexing, terminology_resource
TO helsevev_program;

GRANT SELECT (patient, type, id, date_low, keys) ON resource TO helsevev_program;

GRANT SELECT, INSERT ON emergency_access, stated_relation TO helsevev_program;

GRANT INSERT ON audit_event TO helsevev_program;

GRANT SELECT, INSERT, UPDATE, DELETE ON subscription_event TO helsevev_program;

CREATE POLICY program ON resource FOR SELECT TO helsevev_program USING (type = 'Patient');

-- Ends sessions, which those who write about staff have no right to.
ALTER FUNCTION end_staff_standing() SECURITY DEFINER;

ALTER FUNCTION end_staff_standing() SET search_path FROM CURRENT;

ALTER FUNCTION end_with_role() SET search_path FROM CURRENT;

ALTER FUNCTION indexing_state() SET search_path FROM CURRENT;

-- Gives the roles their rights to every table as it is now; run after each step forward.
CREATE FUNCTION let_roles_in() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS
$$
DECLARE
    named text;
    role text;
    about_somebody boolean;
BEGIN
    FOR named, about_somebody IN
        SELECT c.relname, EXISTS (SELECT FROM pg_attribute a
                                  WHERE a.attrelid = c.oid AND a.attname = 'patient')
        FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
          AND c.relname <> 'migration'
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO helsevev_whole', named);
        IF NOT about_somebody THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO helsevev_program', named);
            CONTINUE;
        END IF;
        -- The rights say which tables a role reaches, these that it reaches all their rows.
        FOREACH role IN ARRAY ARRAY['author', 'finder', 'officer', 'program', 'whole'] LOOP
            IF has_any_column_privilege('helsevev_' || role, named, 'SELECT, INSERT')
               AND NOT EXISTS (SELECT FROM pg_policies p WHERE p.policyname = role
                               AND p.schemaname = current_schema() AND p.tablename = named) THEN
                EXECUTE format('CREATE POLICY %I ON %I TO %I', role, named, 'helsevev_' || role)
                        || ' USING (true) WITH CHECK (true)';
            END IF;
        END LOOP;
    END LOOP;
    REVOKE UPDATE, DELETE ON audit_event, audit_batch, audit_checkpoint, audit_origin
    FROM helsevev_whole, helsevev_program;
    REVOKE INSERT ON audit_batch, audit_checkpoint FROM helsevev_program;
    GRANT SELECT ON migration TO helsevev_whole, helsevev_program;
END
$$;

SELECT let_roles_in();
