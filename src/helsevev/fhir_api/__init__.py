"""FHIR's RESTful API (http://hl7.org/fhir/R4/http.html), one file per interaction."""
