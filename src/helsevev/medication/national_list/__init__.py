"""One list of medicines across actors, exchanged with the national medication service (SFM)."""
