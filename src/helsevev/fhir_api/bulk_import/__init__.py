"""`helsevev import`: files of FHIR into the record, as fast as two cores allow, whole or not at all."""
