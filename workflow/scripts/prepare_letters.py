from relaxor.inpainting.letters import prepare_letters
from relaxor.steps import run_step

run_step(prepare_letters, snakemake)
