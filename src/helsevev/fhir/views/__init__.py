"""SQL-on-FHIR v2: views that make tables of resources (https://sql-on-fhir.org/ig/latest)."""
