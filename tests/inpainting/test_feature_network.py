"""Features of a network that the user brings as an ONNX file."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from relaxor.core.errors import AnalysisError
from relaxor.inpainting.feature_network import BATCH, FeatureNetwork


def write(path: Path, shapes: list[list], kind: int = TensorProto.FLOAT, outputs: int = 1) -> Path:
    """Write a network of these inputs whose features are the pixels of the first."""
    inputs = [helper.make_tensor_value_info(f"x{i}", kind, shape) for i, shape in enumerate(shapes)]
    names = [f"y{i}" for i in range(outputs)]
    nodes = [helper.make_node("Flatten", ["x0"], [name]) for name in names]
    found = [helper.make_tensor_value_info(name, kind, ["n", "features"]) for name in names]
    graph = helper.make_graph(nodes, "pixels", inputs, found)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


@pytest.mark.parametrize("channels", [1, 3])
def test_letters_enter_from_minus_one_to_one_in_every_channel(channels, tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((BATCH + 6, 28, 28), np.float32)
    found = FeatureNetwork(write(tmp_path / "a.onnx", [["n", channels, 28, 28]])).features(images)
    expected = np.tile(2 * images.reshape(len(images), -1) - 1, channels)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_letters_are_enlarged_to_the_side_of_the_network(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(28, dtype=np.float32) / 28, (1, 28, 1))
    found = FeatureNetwork(write(tmp_path / "a.onnx", [[None, 1, 56, 56]])).features(ramp).reshape(56, 56)
    expected = 2 * (np.arange(56) / 2 - 0.25) / 28 - 1
    np.testing.assert_allclose(found[:, 1:-1], np.tile(expected[1:-1], (56, 1)), atol=1e-6)


@pytest.mark.parametrize(
    "network",
    [
        {"shapes": [["n", 784]]},
        {"shapes": [["n", 2, 28, 28]]},
        {"shapes": [["n", 3, 28, 32]]},
        {"shapes": [["n", 3, "side", "side"]]},
        {"shapes": [[1, 3, 28, 28]]},
        {"shapes": [["n", 3, 28, 28]], "kind": TensorProto.DOUBLE},
        {"shapes": [["n", 3, 28, 28]], "outputs": 2},
        {"shapes": [["n", 3, 28, 28], ["n", 1]]},
    ],
    ids=str,
)
def test_other_inputs_and_outputs_are_refused(network, tmp_path: Path) -> None:
    path = write(tmp_path / "features.onnx", **network)
    with pytest.raises(AnalysisError, match=r"features\.onnx: one input of float32"):
        FeatureNetwork(path)


def test_what_is_no_network_is_named(tmp_path: Path) -> None:
    path = tmp_path / "features.onnx"
    with pytest.raises(AnalysisError, match=r"features\.onnx: not an ONNX network: "):
        FeatureNetwork(path)
    path.write_bytes(b"no network")
    with pytest.raises(AnalysisError, match=r"features\.onnx: not an ONNX network: "):
        FeatureNetwork(path)
