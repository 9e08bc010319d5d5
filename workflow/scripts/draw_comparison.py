from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.comparison import draw_comparison

run_step(draw_comparison, snakemake)
