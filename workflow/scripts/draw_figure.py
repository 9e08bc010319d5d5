from relaxor.figures.draw import draw_figure
from relaxor.steps import run_step

run_step(draw_figure, snakemake)
