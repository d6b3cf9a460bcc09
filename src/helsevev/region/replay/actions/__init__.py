"""What staff do in a replayed day: one module for each kind of work, one table of all."""
