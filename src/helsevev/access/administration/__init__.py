"""Who works here, where and as what; and who can do what because of it."""
