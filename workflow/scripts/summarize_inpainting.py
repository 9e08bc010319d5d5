from relaxor.inpainting.summary import summarize
from relaxor.steps import run_step

run_step(summarize, snakemake)
