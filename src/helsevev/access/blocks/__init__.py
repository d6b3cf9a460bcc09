"""Blocks as people meet them: seen, placed and lifted, as the Consents that the API knows too."""
