"""Reconciling: lists side by side, one decision a row, signed at once, told and written home."""
