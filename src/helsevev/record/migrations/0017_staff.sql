-- Who works here now: read model of Practitioner (no role) and PractitionerRole (a title at a unit).
-- Only those that are active have rows, so that what goes away here ends what rested on it.
CREATE TABLE staff_standing (
    patient bigint NOT NULL,
    start_at bigint NOT NULL,
    end_at bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    person text NOT NULL,
    unit text NOT NULL,
    title text NOT NULL,
    name text NOT NULL
);

CREATE INDEX staff_standing_of_source ON staff_standing (source_id, source_type);
CREATE INDEX staff_standing_of_person ON staff_standing (person);
CREATE INDEX staff_standing_of_unit ON staff_standing (unit);
CREATE INDEX staff_standing_by_name ON staff_standing (name text_pattern_ops);

CREATE INDEX api_token_of_person ON api_token ((actor ->> 'id'));

-- Who no longer works here, or no longer in that role, is signed out at once, whichever way it was
-- written: sessions, tokens, apps, quick ways back, and the person's own ways in.
CREATE FUNCTION end_staff_standing() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    gone text := OLD.source_type || '/' || OLD.source_id;
BEGIN
    -- An update forgets its row and adds it anew in the same transaction.
    IF EXISTS (SELECT FROM staff_standing s
               WHERE s.source_id = OLD.source_id AND s.source_type = OLD.source_type) THEN
        RETURN NULL;
    END IF;
    IF OLD.source_type = 'Practitioner' THEN
        DELETE FROM app_grant WHERE actor_id = gone;
        DELETE FROM api_token WHERE actor ->> 'id' = gone;
        DELETE FROM session WHERE person = gone;
        DELETE FROM device_login WHERE person = gone;
        DELETE FROM quick_pin WHERE person = gone;
        DELETE FROM passkey WHERE person = gone;
        DELETE FROM one_time_code WHERE person = gone;
        DELETE FROM sign_in_attempt
        WHERE data -> 'actors' @> jsonb_build_array(jsonb_build_object('id', gone));
    ELSE
        DELETE FROM app_grant
        WHERE actor_id = OLD.person AND actor ->> 'practitioner_role' = gone;
        DELETE FROM api_token
        WHERE actor ->> 'id' = OLD.person AND actor ->> 'practitioner_role' = gone;
        DELETE FROM session
        WHERE person = OLD.person AND actor ->> 'practitioner_role' = gone;
        -- Who comes back quickly would come back with the roles of then.
        DELETE FROM device_login WHERE person = OLD.person;
        DELETE FROM sign_in_attempt
        WHERE data -> 'actors' @> jsonb_build_array(jsonb_build_object('practitioner_role', gone));
    END IF;
    -- Every process forgets whom it knew.
    PERFORM pg_notify('session_changed', '');
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER staff_standing_ended AFTER DELETE ON staff_standing
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION end_staff_standing();

-- Nothing that is given out in a role outlives the role's own end.
CREATE FUNCTION end_with_role() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    ends bigint;
BEGIN
    SELECT max(s.end_at) INTO ends FROM staff_standing s
    WHERE s.source_type = 'PractitionerRole'
      AND s.source_id = split_part(NEW.actor ->> 'practitioner_role', '/', 2);
    IF ends < 253402300800000000 THEN
        NEW.expires_at := least(NEW.expires_at, to_timestamp(ends / 1000000.0));
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER session_ends_with_role BEFORE INSERT OR UPDATE OF actor ON session
FOR EACH ROW EXECUTE FUNCTION end_with_role();

CREATE TRIGGER api_token_ends_with_role BEFORE INSERT ON api_token
FOR EACH ROW EXECUTE FUNCTION end_with_role();
