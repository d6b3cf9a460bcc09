"""Effective access: who can do what, asked of the same rules that decide."""
