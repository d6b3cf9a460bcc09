"""The audit trail read, sealed and watched: proofs, the inhabitant's log, unusual reads."""
