"""What waits for somebody: who owns it, by when, and who is told when nobody came."""
