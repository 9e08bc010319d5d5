from relaxor.figures.samples import draw_sample
from relaxor.steps import run_step

run_step(draw_sample, snakemake)
