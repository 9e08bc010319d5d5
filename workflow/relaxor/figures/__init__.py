"""The style of all figures, the layout of panels, and drawings that belong to no technique."""
