-- Whose address is protected among those close to somebody is asked with the ties: of related
-- persons, as of the Patient, what they are labelled with and no content.
ALTER POLICY program ON resource USING (type IN ('Patient', 'RelatedPerson'));
