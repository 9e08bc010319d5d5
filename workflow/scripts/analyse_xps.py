from relaxor.steps import run_step
from relaxor.xps import analyse

run_step(analyse, snakemake)
