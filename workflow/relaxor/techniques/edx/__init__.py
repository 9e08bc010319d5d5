"""Energy-dispersive X-ray spectroscopy."""
