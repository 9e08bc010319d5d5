from relaxor.inpainting.download import fetch_emnist
from relaxor.steps import run_step

run_step(fetch_emnist, snakemake)
