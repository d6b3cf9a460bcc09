-- Dosettes and multidose bags that are in use, as the record says: whom to look at again when a list
-- of medicines changes. A read model of dispenses; `until_at` in microseconds since 1970.
CREATE TABLE stock_filling (
    patient bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    filling text COLLATE "C" NOT NULL,
    until_at bigint NOT NULL,
    PRIMARY KEY (patient, source_type, source_id)
);

CREATE INDEX stock_filling_until ON stock_filling (until_at, patient);

ALTER TABLE stock_filling ENABLE ROW LEVEL SECURITY;

CREATE VIEW shown.stock_filling WITH (check_option = local) AS SELECT * FROM stock_filling
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

GRANT SELECT, INSERT, UPDATE, DELETE ON shown.stock_filling TO helsevev_author;

GRANT SELECT ON shown.stock_filling TO helsevev_asker;
