from relaxor.devices import compare
from relaxor.steps import run_step

run_step(compare, snakemake)
