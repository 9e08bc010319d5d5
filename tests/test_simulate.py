import csv
import hashlib

import pytest
from relaxor.project.simulate import simulate_sample


@pytest.mark.costly
def test_the_sample_data_are_made_again_byte_for_byte(root, tmp_path):
    written = simulate_sample(tmp_path / "raw_data", root / "config/simulation.yaml")
    written = {path.relative_to(tmp_path / "raw_data"): path for path in written}
    committed = {path.relative_to(root / "raw_data"): path for path in (root / "raw_data").rglob("*") if path.is_file()}
    simulated = {name for name in committed if name.parts[0] == "cbps" or name.name == "README.md"}
    assert set(written) == simulated
    different = [str(name) for name, path in written.items() if path.read_bytes() != committed[name].read_bytes()]
    assert not different


def test_the_sample_data_are_small_and_their_checksums_hold(root):
    folder = root / "raw_data/cbps"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 15e6
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_the_sheet_lists_every_sample_file(root):
    def rows(path):
        with path.open(encoding="utf-8", newline="") as stream:
            return [row for row in csv.DictReader(stream, delimiter="\t") if row["sample"] == "cbps"]

    assert rows(root / "config/measurements.tsv") == rows(root / "raw_data/cbps/measurements.tsv")
