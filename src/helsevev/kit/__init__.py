"""The ground that knows no health: settings, the clock, chapters and web glue."""
