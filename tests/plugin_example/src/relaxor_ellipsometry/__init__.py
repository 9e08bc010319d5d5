"""Ellipsometry of bulk transparent samples: a plug-in of relaxor."""
