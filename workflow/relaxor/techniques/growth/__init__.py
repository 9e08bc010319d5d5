"""Temperature logs of crystal growth."""
