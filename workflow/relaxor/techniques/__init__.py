"""The techniques: one folder each, found by walking this package and by entry points."""
