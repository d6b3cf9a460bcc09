"""http://hl7.org/fhir/R4/operations.html: what goes beyond reading, writing and searching."""
