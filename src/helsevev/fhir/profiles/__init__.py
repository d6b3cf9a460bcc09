"""Profiles: what a StructureDefinition asks of a resource beyond R4 itself."""
