"""The region's weekday, played through the real interfaces by its staff, with a ledger of it."""
