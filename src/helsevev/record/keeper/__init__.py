"""The keeper: a small process that owns the embedded PostgreSQL for as long as somebody uses it."""
