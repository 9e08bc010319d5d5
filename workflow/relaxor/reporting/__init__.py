"""The presentation of results: figures, tables, claims, checks, notebooks and the archive."""
