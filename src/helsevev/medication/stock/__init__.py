"""A unit's stock: what is on the shelf, what is accounted for, ordered, dispensed and filled."""
