from relaxor.pulses import analyse
from relaxor.steps import run_step

run_step(analyse, snakemake)
