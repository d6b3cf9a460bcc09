"""One inhabitant on one page: every chapter's panel, the timeline and who has read."""
