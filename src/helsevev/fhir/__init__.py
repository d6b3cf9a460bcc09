"""FHIR R4 as plain data: JSON, validation, search values and references, without any I/O."""
