"""Packs of professional content: a folder for each discipline, owned, dated and released whole."""
