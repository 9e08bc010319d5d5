from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.draw_samples import draw_sample

run_step(draw_sample, snakemake)
