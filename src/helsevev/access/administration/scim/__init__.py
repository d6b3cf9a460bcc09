"""SCIM 2.0: the system that knows who is employed tells us of people and their roles."""
