"""What a reader of the results sees: figures, tables, claims, checks, notebooks, the archive."""
