from relaxor.crossbar.breakdown import break_down_chip
from relaxor.steps import run_step

run_step(break_down_chip, snakemake)
