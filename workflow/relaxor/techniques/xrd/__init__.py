"""X-ray diffraction."""
