"""The letter classifier: what it reads in real letters, that training repeats itself, and what a bad file says."""

import hashlib
import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.inpainting import classifier as network
from relaxor.inpainting.classifier import WEIGHTS, features, load_classifier, logits, predict, save, train
from relaxor.inpainting.fid import distance_of_halves, fid
from safetensors.numpy import load_file, save_file

from tests.inpainting.emnist import read

pytestmark = pytest.mark.slow
"""Most of it is compilation."""


@pytest.fixture(scope="module")
def letters(emnist: Path) -> tuple[np.ndarray, np.ndarray]:
    """Every eighth real test letter; classes alike."""
    images, labels = read(emnist, "test")
    return images[::8], labels[::8]


def _gratings(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Stripes in noise; the class is their number."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(3, size=n)
    phase = generator.uniform(0, 2 * np.pi, n)[:, None, None]
    waves = np.sin(np.arange(28)[None, None, :] * (0.3 + 0.4 * labels[:, None, None]) + phase)
    return np.clip(0.5 + 0.4 * waves + generator.normal(0, 0.1, (n, 28, 28)), 0, 1).astype(np.float32), labels


@pytest.fixture(scope="module")
def trained() -> network.Classifier:
    return train(*_gratings(400, 0), epochs=4, batch=40)


def test_the_weights_that_ship_read_real_letters(letters):
    images, labels = letters
    classifier, about = load_classifier()
    accuracy = np.mean(predict(classifier, features(classifier, images)) == labels)
    assert about["test_accuracy"] >= 0.92
    spread = np.sqrt(accuracy * (1 - accuracy) / len(labels))
    assert abs(accuracy - about["test_accuracy"]) < 3 * spread
    assert WEIGHTS.stat().st_size < 2e6


def test_a_hole_in_real_letters_is_seen_by_the_distance(letters):
    images, _ = letters
    classifier, _ = load_classifier()
    original = features(classifier, images)
    distances = []
    for hole in (4, 8, 12):
        start = (28 - hole) // 2
        cut = images.copy()
        cut[:, start : start + hole, start : start + hole] = 0
        distances.append(fid(original, features(classifier, cut)))
    assert distance_of_halves(original, original, repeats=3).value < distances[0] < distances[1] < distances[2]


def test_it_learns(trained):
    images, labels = _gratings(300, 1)
    assert np.mean(predict(trained, features(trained, images)) == labels) > 0.95


def test_the_same_seed_gives_the_same_bytes(tmp_path, trained):
    again = train(*_gratings(400, 0), epochs=4, batch=40)
    other = train(*_gratings(400, 0), epochs=4, batch=40, seed=1)
    digests = [save(tmp_path / f"{at}.safetensors", one, {}) for at, one in enumerate((trained, again, other))]
    assert digests[0] == digests[1] != digests[2]
    assert (tmp_path / "0.safetensors").read_bytes() == (tmp_path / "1.safetensors").read_bytes()


def test_frequent_letters_are_not_preferred():
    # Noise tells nothing of the letter: a classifier that had learnt the frequencies would prefer A by log 9 = 2.2.
    generator = np.random.default_rng(2)
    images = generator.random((1000, 28, 28), dtype=np.float32)
    classifier = train(images, (np.arange(1000) % 10 == 0).astype(int), epochs=4, batch=50)
    found = features(classifier, generator.random((200, 28, 28), dtype=np.float32))
    first, second = logits(classifier, found)[:, :2].T
    assert abs(np.mean(first - second)) < 0.7


def test_features_do_not_depend_on_the_company(trained):
    images, _ = _gratings(network.CHUNK + 3, 3)
    found = features(trained, images)
    assert found.shape == (len(images), network.FEATURES)
    assert (found >= 0).all()
    np.testing.assert_allclose(features(trained, images[-2:]), found[-2:], rtol=1e-4, atol=1e-5)
    assert features(trained, images[:0]).shape == (0, network.FEATURES)
    np.testing.assert_allclose(logits(trained, found), trained.logits(images), rtol=1e-3, atol=1e-3)


def test_saved_and_loaded_it_is_the_same(tmp_path, trained):
    digest = save(tmp_path / "net.safetensors", trained, {"seed": 0})
    loaded, about = load_classifier(tmp_path / "net.safetensors")
    assert about == {"seed": 0, "sha256": digest}
    assert digest == hashlib.sha256((tmp_path / "net.safetensors").read_bytes()).hexdigest()
    assert jax.tree.all(jax.tree.map(np.array_equal, loaded, trained))


def test_changed_weights_are_refused(tmp_path, trained):
    path = tmp_path / "net.safetensors"
    save(path, trained, {})
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(AnalysisError, match=r"SHA-256 is [0-9a-f]{64}, net\.json says"):
        load_classifier(path)


@pytest.mark.parametrize("change, found", [("shape", "(26, 64)"), ("missing", "nothing")])
def test_other_networks_are_refused(tmp_path, trained, change, found):
    path = tmp_path / "net.safetensors"
    save(path, trained, {})
    tensors = load_file(path)
    weight = tensors.pop("output.weight")
    if change == "shape":
        tensors["output.weight"] = np.ascontiguousarray(weight.T)
    save_file(tensors, path)
    _sign(path)
    with pytest.raises(AnalysisError, match=re.escape(f"(64, 26) in this network, the file holds {found}")):
        load_classifier(path)


def test_files_that_are_none_are_named(tmp_path, trained):
    path = tmp_path / "net.safetensors"
    with pytest.raises(AnalysisError, match=r"net\.safetensors: No such file"):
        load_classifier(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(AnalysisError, match=r"net\.json: No such file"):
        load_classifier(path)
    for text in ("[]", "{}", "not json"):
        path.with_suffix(".json").write_text(text)
        with pytest.raises(AnalysisError, match="field 'sha256'"):
            load_classifier(path)
    _sign(path)
    with pytest.raises(AnalysisError, match="not a safetensors file"):
        load_classifier(path)


def _sign(path):
    path.with_suffix(".json").write_text(json.dumps({"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}))
