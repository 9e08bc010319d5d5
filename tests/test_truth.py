"""The analyses find what the simulator put in; no analysis can read the truth."""

import math
import re

import pandas as pd
import pytest
from relaxor.core.results import NORMAL_QUANTILE
from relaxor.project.snakemake_adapter import sources
from relaxor.techniques.registry import techniques

from tests.project import ROOT
from tests.simulated import KEYS

MEASURED = sorted(set(pd.read_csv(ROOT / "config/measurements.tsv", sep="\t")["technique"]))
"""Techniques of the sample data."""


def against_truth(root, analysed):
    """Join every true value with the number that the analysis gives for it."""
    truth = pd.read_csv(
        root / "raw_data/cbps/truth.csv", dtype={"feature": str}, keep_default_na=False, na_values={"at": ""}
    )
    numbers = pd.concat([analysed(technique).parameters.assign(technique=technique) for technique in techniques()])
    joined = truth.merge(numbers, on=KEYS, how="left", suffixes=("_true", ""), validate="one_to_one")
    joined["error"] = joined["standard_error"].map(float).combine(joined["systematic_error"], math.hypot)
    joined["z"] = (joined["value"] - joined["value_true"]) / joined["error"]
    margin = NORMAL_QUANTILE * joined["systematic_error"]
    joined["within"] = joined["value_true"].between(joined["ci_low"] - margin, joined["ci_high"] + margin)
    return joined


def test_every_true_value_is_looked_for(root, analysed):
    joined = against_truth(root, analysed)
    missing = joined[joined["value"].isna()]
    assert missing.empty, missing[KEYS].to_string()
    assert (joined["unit"] == joined["unit_true"]).all(), joined[joined["unit"] != joined["unit_true"]][
        KEYS
    ].to_string()
    assert len(joined) >= 100


def test_parameters_are_recovered(root, analysed):
    joined = against_truth(root, analysed)
    assert joined["within"].mean() >= 0.90, joined[~joined["within"]][[*KEYS, "value", "value_true", "z"]].to_string()
    far = joined[~(joined["z"].abs() <= 4)]
    assert far.empty, far[[*KEYS, "value", "value_true", "error", "z"]].to_string()


@pytest.mark.parametrize("technique", MEASURED)
def test_each_technique_of_the_sample_has_its_units(analysed, technique):
    numbers = analysed(technique).parameters
    assert (numbers["origin"] == "simulated").all()
    assert numbers["unit"].map(len).all()
    sheet_ids = set(numbers["measurement"])
    assert sheet_ids, "no numbers"
    assert numbers["raw_sha256"].map(lambda digest: bool(re.fullmatch(r"[0-9a-f]{64}(,[0-9a-f]{64})*", digest))).all()


@pytest.mark.parametrize("technique", techniques())
def test_no_analysis_reads_the_truth(technique):
    """Nor do the panels: what they are made of holds neither a simulator nor the word."""
    own = techniques()[technique]
    for path in sources(own.analyse.__module__, *(panel.draw.__module__ for panel in own.panels.values())):
        assert "simulation" not in path.parts
        assert path.suffix != ".py" or "truth" not in path.read_text(encoding="utf-8").replace("ground truth", ""), path
