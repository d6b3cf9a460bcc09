"""What is on a unit's shelf, and what doses take of it: what the round knows of the stock."""
