"""Truth from outside: data of forward models that share nothing with the simulator or with the fit functions."""
