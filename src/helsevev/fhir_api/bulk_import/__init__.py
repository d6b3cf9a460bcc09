"""`helsevev import`: files of FHIR into the record, whole or not at all."""
