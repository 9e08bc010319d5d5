"""The base of the library: numbers and measurements, files, units, errors, checksums."""
