"""Plans: problems, goals and measures, and the tasks that come of them."""
