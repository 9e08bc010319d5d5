"""Plasticity of a synapse: its pulses, what they leave, how that fades, and what it costs."""
