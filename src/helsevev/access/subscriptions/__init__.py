"""Topic-based subscriptions: who may listen to what, events from the change feed, and notices."""
