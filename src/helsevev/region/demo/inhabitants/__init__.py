"""One module for each inhabitant: STORY says who they are, tell() writes their record."""
