"""X-ray photoelectron spectroscopy."""
