"""Polarization–field loops and pulse trains of ferroelectric testers."""
