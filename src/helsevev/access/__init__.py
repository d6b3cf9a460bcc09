"""The gate: login, policy, treatment relation and audit; the only way to the record."""
