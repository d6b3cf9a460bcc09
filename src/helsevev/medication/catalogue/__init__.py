"""The catalogue of medicines: loaded from FEST, looked up as one types, and kept as resources."""
