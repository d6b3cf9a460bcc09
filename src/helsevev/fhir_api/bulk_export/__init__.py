"""HL7's Bulk Data Access: exports asked for, followed and fetched (http://hl7.org/fhir/uv/bulkdata)."""
