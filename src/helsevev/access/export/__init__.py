"""Exports in bulk: what may be asked, the jobs that carry it out, and the files they leave."""
