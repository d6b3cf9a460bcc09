"""Patient and medicine are scanned at the bedside, and what does not belong together is stopped."""
