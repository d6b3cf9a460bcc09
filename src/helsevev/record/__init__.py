"""The record: where resources are kept, searched and never lost, on PostgreSQL."""
