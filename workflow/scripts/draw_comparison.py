from relaxor.figures.comparison import draw_comparison
from relaxor.steps import run_step

run_step(draw_comparison, snakemake)
