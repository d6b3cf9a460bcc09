"""Organisations and units: made, renamed, moved and closed, with what follows for those there."""
