"""A synthetic region, as data: its units, its staff and the inhabitants whose records it holds."""
