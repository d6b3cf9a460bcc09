"""The professional content: what clinicians own and change without touching code."""
