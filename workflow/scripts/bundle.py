from relaxor.publish import bundle
from relaxor.steps import run_step

run_step(bundle, snakemake)
