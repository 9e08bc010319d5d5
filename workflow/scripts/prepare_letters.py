from relaxor.inpainting.letters import prepare_letters
from relaxor.project.snakemake_adapter import run_step

run_step(prepare_letters, snakemake)
