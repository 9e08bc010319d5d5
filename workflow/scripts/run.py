from relaxor.project.snakemake_adapter import run_step

run_step(snakemake)
