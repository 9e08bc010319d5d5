"""What readers share: the tree that they return, text, archives, HDF5, signals of rosettasciio."""
