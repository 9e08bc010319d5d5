"""The suite; linear algebra runs on one thread, as in the workflow: more make small fits many times slower."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
