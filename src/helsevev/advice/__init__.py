"""Decision support for other systems, and how its rules do: CDS Hooks, and statistics."""
