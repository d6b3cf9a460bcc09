"""Flowsheets: what is measured again and again, in a grid of times and parameters."""
