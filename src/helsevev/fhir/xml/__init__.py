"""FHIR's XML to plain data and back (http://hl7.org/fhir/R4/xml.html)."""
