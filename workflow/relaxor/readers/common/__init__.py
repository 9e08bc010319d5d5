"""What readers share: the tree that they return, text, dates, names, units, archives, HDF5 and signals."""
