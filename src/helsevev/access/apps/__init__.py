"""Apps and systems that act through the API: registered, let in, given tokens, and ended."""
