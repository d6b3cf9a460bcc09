"""The administrator's doors to the register of apps: pages, and the command line."""
