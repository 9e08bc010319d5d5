"""Analysis of images and maps: EDX, AFM, PFM, STEM."""
