"""The optical response of a device: kinetics of traps, their fit, codes, encoder, figures of merit."""
