"""The person: identity, critical information, problems, contacts and who is responsible."""
