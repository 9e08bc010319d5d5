"""The ground of everything: numbers and measurements, files, units, errors, checksums."""
