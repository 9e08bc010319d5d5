from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.draw import draw_figure

run_step(draw_figure, snakemake)
