"""Endurance and retention of memory cells."""
