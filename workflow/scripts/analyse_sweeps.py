from relaxor.steps import run_step
from relaxor.sweeps import analyse

run_step(analyse, snakemake)
