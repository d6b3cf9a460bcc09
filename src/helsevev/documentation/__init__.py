"""What was written: notes, documents and reports, drafted, signed and corrected."""
