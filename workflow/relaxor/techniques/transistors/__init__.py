"""Transfer and output curves of transistors."""
