"""Figures: they draw what the analyses wrote, and compute nothing."""
