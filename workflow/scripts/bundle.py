from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.ro_crate import bundle

run_step(bundle, snakemake)
