from relaxor.steps import run_step
from relaxor.structure import analyse

run_step(analyse, snakemake)
