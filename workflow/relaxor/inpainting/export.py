"""Trained decoders as files that other programs read: safetensors, and ONNX.

Tensors are named ``layers.0.weight`` (out, in), ``layers.0.bias`` (out,), and so on. An integer decoder has ``levels``,
``bias`` and ``weight_scale`` instead, and its other properties as JSON in the metadata of the file.
"""

import json
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from relaxor.core.errors import AnalysisError
from relaxor.core.files import atomic
from relaxor.crossbar.levels import QuantizedDecoder, QuantizedLayer
from relaxor.inpainting.encoder import GROUPS
from relaxor.inpainting.models import Decoder

METADATA = "relaxor"
"""The only key of the metadata of a file; the order of several keys, and so the bytes, would change from run to run."""
OPSET = 17
IR_VERSION = 9
"""Versions of ONNX that every runtime since 2023 reads; those of a newer default would not be."""


def save_decoder(path: Path | str, decoder: Decoder) -> None:
    """Write a decoder as safetensors; the file is complete or absent."""
    tensors: dict[str, np.ndarray] = {}
    for i, layer in enumerate(decoder.layers):
        tensors |= {f"layers.{i}.weight": np.asarray(layer.weight), f"layers.{i}.bias": np.asarray(layer.bias)}
    _save(path, tensors, {"model": "decoder"})


def load_decoder(path: Path | str) -> Decoder:
    """Load a decoder.

    Raises
    ------
    AnalysisError
        If the file cannot be read or holds no decoder.
    """
    tensors, _ = _load(path, "decoder")
    layers = []
    for i in range(len(tensors) // 2):
        weight, bias = (jnp.asarray(_tensor(path, tensors, f"layers.{i}.{part}")) for part in ("weight", "bias"))
        # The layer is made for its shapes only; its numbers are replaced.
        empty = eqx.nn.Linear(weight.shape[1], weight.shape[0], key=jax.random.key(0))
        layers.append(eqx.tree_at(lambda linear: (linear.weight, linear.bias), empty, (weight, bias)))
    if not layers or layers[0].in_features != GROUPS:
        raise AnalysisError(f"{path}: the first layer of a decoder takes {GROUPS} currents")
    return Decoder(tuple(layers))


def save_quantized(path: Path | str, quantized: QuantizedDecoder) -> None:
    """Write an integer decoder as safetensors; the file is complete or absent."""
    tensors = {
        f"layers.{i}.{part}": np.ascontiguousarray(getattr(layer, part))
        for i, layer in enumerate(quantized.layers)
        for part in ("levels", "bias", "weight_scale")
    }
    inputs = [layer.input_scale for layer in quantized.layers]
    _save(path, tensors, {"model": "quantized decoder", "bits": quantized.bits, "input_scales": inputs})


def load_quantized(path: Path | str) -> QuantizedDecoder:
    """Load an integer decoder.

    Raises
    ------
    AnalysisError
        If the file cannot be read or holds none.
    """
    tensors, metadata = _load(path, "quantized decoder")
    layers = []
    for i, scale in enumerate(metadata["input_scales"]):
        levels, bias, weight = (
            _tensor(path, tensors, f"layers.{i}.{part}") for part in ("levels", "bias", "weight_scale")
        )
        layers.append(QuantizedLayer(levels, bias, weight, scale))
    return QuantizedDecoder(tuple(layers), metadata["bits"])


def export_onnx(path: Path | str, decoder: Decoder) -> None:
    """Write a decoder as an ONNX graph from ``currents`` (n, 196) to ``pixels`` (n, h²)."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, weights = [], []
    flowing = "currents"
    for i, layer in enumerate(decoder.layers):
        last = i + 1 == len(decoder.layers)
        names = [f"layers.{i}.weight", f"layers.{i}.bias"]
        arrays = (layer.weight, layer.bias)
        weights += [numpy_helper.from_array(np.asarray(a), n) for a, n in zip(arrays, names, strict=True)]
        nodes.append(helper.make_node("Gemm", [flowing, *names], [f"sums.{i}"], transB=1))
        flowing = "pixels" if last else f"hidden.{i}"
        nodes.append(helper.make_node("Sigmoid" if last else "Relu", [f"sums.{i}"], [flowing]))

    def matrix(name: str, columns: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["images", columns])

    ends = [matrix("currents", GROUPS)], [matrix("pixels", decoder.hole**2)]
    graph = helper.make_graph(nodes, "decoder", *ends, initializer=weights)
    model = helper.make_model(
        graph, producer_name="relaxor", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    checker.check_model(model)
    with atomic(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def _save(path: Path | str, tensors: dict[str, np.ndarray], metadata: dict[str, Any]) -> None:
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors, {METADATA: json.dumps(metadata)}))


def _load(path: Path | str, model: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with safe_open(path, "np") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise AnalysisError(f"{path}: cannot be read: {error}") from None
    if metadata.get("model") != model:
        raise AnalysisError(f"{path}: a {model} is needed, the file holds {metadata.get('model', 'something else')}")
    return tensors, metadata


def _tensor(path: Path | str, tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name not in tensors:
        raise AnalysisError(f"{path}: no tensor {name}")
    return tensors[name]
