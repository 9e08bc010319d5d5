from relaxor.steps import run_step
from relaxor.xrd import analyse

run_step(analyse, snakemake)
