"""What was measured: vital signs, scores and laboratory results."""
