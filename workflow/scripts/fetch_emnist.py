from relaxor.inpainting.download import fetch_emnist
from relaxor.project.snakemake_adapter import run_step

run_step(fetch_emnist, snakemake)
