"""The growth log: recovery, coverage, and logs that lack a segment."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from relaxor.core.errors import AnalysisError
from relaxor.project.ingest import ingest
from relaxor.simulation.growth import simulate
from relaxor.techniques.growth.settings import GrowthSettings

from tests.analyses import analyse_with

CONFIG = yaml.safe_load((Path(__file__).parents[1] / "config/config.yaml").read_text())


def run(folder: Path, entry) -> pd.DataFrame:
    (folder / "log.csv").write_bytes(entry.content)
    row = {"measurement": entry.measurement, "file": "log.csv", "origin": "simulated", "instrument": ""}
    row |= {"note": "", "table": entry.table, "conditions": {}}
    ingest([str(folder / "log.csv")], [row], CONFIG["tables"], str(folder / "data.nc"))
    settings = GrowthSettings().model_dump()
    analyse_with("growth", str(folder / "data.nc"), str(folder / "p.csv"), str(folder / "c.nc"), **settings)
    truth = pd.DataFrame(entry.truth, columns=["model", "parameter", "true", "true_unit"])
    return pd.read_csv(folder / "p.csv").merge(truth, on=["model", "parameter"], how="outer")


def test_the_run_is_recovered(tmp_path):
    (entry,) = simulate(np.random.default_rng(5))
    table = run(tmp_path, entry)
    assert len(entry.content) < 200_000
    assert table["value"].notna().all() and (table["unit"] == table["true_unit"]).all()
    z = (table["value"] - table["true"]) / table["standard_error"]
    assert z.abs().max() < 4 and (z.abs() < 2).mean() >= 0.8
    assert table.loc[table["parameter"] == "soak_temperature", "standard_error"].item() < 0.05


@pytest.mark.parametrize(("rows", "name"), [(slice(620, None), "ramp"), (slice(0, 2000), "cooling")])
def test_a_log_without_a_segment_is_refused(tmp_path, rows, name):
    (entry,) = simulate(np.random.default_rng(5))
    lines = entry.content.decode().splitlines()
    kept = lines[5:][rows]
    head = [line if not line.startswith("# Points") else f"# Points: {len(kept)}" for line in lines[:5]]
    with pytest.raises(AnalysisError, match=f"furnace_log: .* readings of the {name}"):
        run(tmp_path, replace(entry, content="\n".join([*head, *kept, ""]).encode()))


@pytest.mark.slow
def test_intervals_cover_the_truth(tmp_path):
    draws = [run(tmp_path, *simulate(np.random.default_rng(seed))) for seed in range(400)]
    table = pd.concat(draws)
    inside = table["true"].between(table["ci_low"], table["ci_high"]).groupby(table["parameter"]).mean()
    assert inside.between(0.90, 0.98).all(), inside.to_string()
