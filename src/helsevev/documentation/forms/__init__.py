"""Forms and scores of the content: filled in, signed, read and corrected."""
