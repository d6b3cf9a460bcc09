"""Infusions: started, changed, paused and stopped, with what has been given so far."""
