"""The look of every figure, the layout of panels, and drawings that belong to no technique."""
