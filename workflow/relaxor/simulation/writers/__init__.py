"""Writers of instrument formats, for the simulator alone."""
