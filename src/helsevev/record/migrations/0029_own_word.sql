-- What staff write of treating somebody themselves is their own word, which gives them no more than
-- they had (access/own_word.py). Who wrote an entry cannot be seen in it, so it is kept beside the
-- read model, and put into its rows whenever they are made. What was written before stays as it is.
CREATE TABLE self_made_tie (
    patient bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    grantee text NOT NULL,
    maker text NOT NULL,
    others_until bigint NOT NULL,
    cap smallint NOT NULL,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (patient, source_type, source_id, grantee)
);

ALTER TABLE self_made_tie ENABLE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON self_made_tie TO helsevev_program;

-- maker: whose own word it is ('' nobody's). To them it holds until others_until, which is as far as
-- others' word goes, and after that as nearly as cap says (2 the unit, 3 what it is part of, 9 not).
ALTER TABLE treatment_relation
    ADD COLUMN maker text NOT NULL DEFAULT '',
    ADD COLUMN others_until bigint NOT NULL DEFAULT 0,
    ADD COLUMN cap smallint NOT NULL DEFAULT 0;

CREATE FUNCTION say_whose_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS
$$
BEGIN
    SELECT s.maker, s.others_until, s.cap INTO NEW.maker, NEW.others_until, NEW.cap
    FROM self_made_tie s
    WHERE s.patient = NEW.patient AND s.source_type = NEW.source_type
      AND s.source_id = NEW.source_id AND s.grantee = NEW.grantee;
    IF NOT FOUND THEN
        NEW.maker := '';
        NEW.others_until := 0;
        NEW.cap := 0;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER treatment_relation_whose_word BEFORE INSERT ON treatment_relation
FOR EACH ROW EXECUTE FUNCTION say_whose_word();

CREATE OR REPLACE VIEW shown.treatment_relation WITH (check_option = local) AS
SELECT * FROM treatment_relation
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);
