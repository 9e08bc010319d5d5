from relaxor.light import analyse
from relaxor.steps import run_step

run_step(analyse, snakemake)
