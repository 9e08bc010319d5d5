"""The explorer: one offline page with every measurement, its curves, its numbers and where they come from."""
