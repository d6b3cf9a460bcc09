-- A parent acts by parental responsibility, which earlier rows of the read model did not ask for:
-- they are dropped, and made again from RelatedPerson by `helsevev reindex`, which is told of as
-- outstanding. Until then a parent acts for nobody.
DELETE FROM representation WHERE kind = 'parent';

DELETE FROM extraction WHERE rules = 2 AND EXISTS (SELECT FROM resource);

-- Who answered an alarm, and what was done about it.
ALTER TABLE security_alarm
    ADD COLUMN seen_by text NOT NULL DEFAULT '',
    ADD COLUMN seen_by_name text NOT NULL DEFAULT '',
    ADD COLUMN done text NOT NULL DEFAULT '';
