"""Crystal structures from CIF files."""
