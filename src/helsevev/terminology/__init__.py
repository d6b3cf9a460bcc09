"""Code systems as plain data: reading their distributions, their hierarchies, sets of concepts."""
