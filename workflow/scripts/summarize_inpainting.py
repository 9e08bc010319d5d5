from relaxor.inpainting.summary import summarize
from relaxor.project.snakemake_adapter import run_step

run_step(summarize, snakemake)
