"""My day: my patients, what waits, the hand-over, beds, visits, lists, and finding anyone."""
