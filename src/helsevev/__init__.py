"""Helsevev: an open shared health record for a region, laid out as chapters."""
