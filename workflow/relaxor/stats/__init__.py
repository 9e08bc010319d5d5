"""Statistics that techniques share: fits, line shapes, intervals, decay laws, counts, noise, resampling."""
