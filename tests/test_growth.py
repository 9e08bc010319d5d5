from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.core.storage import load, numbers_table
from relaxor.simulation.sample_file import SampleFile
from relaxor.techniques.growth.settings import GrowthSettings

from tests.analyses import analysis_of
from tests.simulated import against_truth, ingested, simulated

analyse = analysis_of("growth")


def run(folder: Path, entry: SampleFile) -> pd.DataFrame:
    result = analyse(load(ingested([entry], folder)), GrowthSettings())
    return against_truth(numbers_table(result.numbers, "growth"), [entry])


def test_the_run_is_recovered(tmp_path):
    (entry,) = simulated("growth", 5)
    table = run(tmp_path, entry)
    assert len(entry.content) < 200_000
    assert table["value"].notna().all() and (table["unit"] == table["true_unit"]).all()
    z = (table["value"] - table["true"]) / table["standard_error"]
    assert z.abs().max() < 4 and (z.abs() < 2).mean() >= 0.8
    assert table.loc[table["parameter"] == "soak_temperature", "standard_error"].item() < 0.05


@pytest.mark.parametrize(("rows", "name"), [(slice(620, None), "ramp"), (slice(0, 2000), "cooling")])
def test_a_log_without_a_segment_is_refused(tmp_path, rows, name):
    (entry,) = simulated("growth", 5)
    lines = entry.content.decode().splitlines()
    kept = lines[5:][rows]
    head = [line if not line.startswith("# Points") else f"# Points: {len(kept)}" for line in lines[:5]]
    with pytest.raises(AnalysisError, match=f"furnace_log: .* readings of the {name}"):
        run(tmp_path, replace(entry, content="\n".join([*head, *kept, ""]).encode()))


@pytest.mark.slow
def test_intervals_cover_the_truth(tmp_path):
    draws = [run(tmp_path, *simulated("growth", seed)) for seed in range(400)]
    table = pd.concat(draws)
    inside = table["true"].between(table["ci_low"], table["ci_high"]).groupby(table["parameter"]).mean()
    assert inside.between(0.90, 0.98).all(), inside.to_string()
