-- Units stand among who works here (staff_standing: `unit` is what one is part of, `end_at` when it
-- closes), so that those who work in one that moves or goes away sign in anew, whichever way it was
-- written: what they reached by the old place ends with it.
CREATE OR REPLACE FUNCTION end_staff_standing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS
$$
DECLARE
    gone text := OLD.source_type || '/' || OLD.source_id;
    named text[];
BEGIN
    -- An update forgets its row and adds it anew in the same transaction.
    IF EXISTS (SELECT FROM staff_standing s
               WHERE s.source_id = OLD.source_id AND s.source_type = OLD.source_type
                 AND (OLD.source_type <> 'Organization' OR s.unit = OLD.unit)) THEN
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
    ELSIF OLD.source_type = 'PractitionerRole' THEN
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
    ELSE
        WITH RECURSIVE below (unit) AS (
            SELECT gone
            UNION
            SELECT 'Organization/' || s.source_id FROM staff_standing s
            JOIN below b ON s.unit = b.unit WHERE s.source_type = 'Organization'
        )
        SELECT array_agg(DISTINCT s.person) INTO named FROM staff_standing s
        JOIN below b ON s.unit = b.unit WHERE s.source_type = 'PractitionerRole';
        DELETE FROM app_grant WHERE actor -> 'organisations' ? gone;
        DELETE FROM api_token WHERE actor -> 'organisations' ? gone;
        DELETE FROM session WHERE actor -> 'organisations' ? gone;
        DELETE FROM device_login WHERE person = ANY (named);
        DELETE FROM sign_in_attempt a
        WHERE EXISTS (SELECT FROM jsonb_array_elements(
                          CASE jsonb_typeof(a.data -> 'actors') WHEN 'array' THEN a.data -> 'actors'
                          ELSE '[]'::jsonb END) AS actor
                      WHERE actor -> 'organisations' ? gone);
    END IF;
    -- Every process forgets whom it knew.
    PERFORM pg_notify('session_changed', '');
    RETURN NULL;
END
$$;

-- Who could do what on a day that has passed is told from the versions of then.
CREATE VIEW office.resource_history AS SELECT * FROM resource_history WHERE patient <= 0;

GRANT SELECT ON office.resource_history TO helsevev_officer;
