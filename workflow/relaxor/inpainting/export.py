"""Trained decoders as files that other programs read: integer decoders as safetensors, float decoders as ONNX.

The tensors of an integer decoder are named ``layers.0.levels`` (out, in), ``layers.0.bias`` (out,),
``layers.0.weight_scale``, and so on; its other properties are JSON in the metadata of the file.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from relaxor.core.errors import AnalysisError
from relaxor.core.files import write_whole
from relaxor.crossbar.levels import QuantizedDecoder, QuantizedLayer
from relaxor.inpainting.encoder import GROUPS
from relaxor.inpainting.models import Decoder

METADATA = "relaxor"
"""The only key of the metadata of a file; the order of several keys, and so the bytes, would change from run to run."""
QUANTIZED = "quantized decoder"
"""What the metadata call an integer decoder."""
PARTS = ("levels", "bias", "weight_scale")
"""Tensors of a layer, in the order of `QuantizedLayer`."""
OPSET = 17
IR_VERSION = 9
"""Versions of ONNX that every runtime since 2023 reads; those of a newer default would not be."""


def save_quantized(path: Path | str, quantized: QuantizedDecoder) -> None:
    """Write an integer decoder as safetensors; the file is complete or absent."""
    tensors = {
        f"layers.{i}.{part}": np.ascontiguousarray(getattr(layer, part))
        for i, layer in enumerate(quantized.layers)
        for part in PARTS
    }
    inputs = [layer.input_scale for layer in quantized.layers]
    metadata = {"model": QUANTIZED, "bits": quantized.bits, "input_scales": inputs}
    write_whole(path, save(tensors, {METADATA: json.dumps(metadata)}))


def load_quantized(path: Path | str) -> QuantizedDecoder:
    """Load an integer decoder.

    Raises
    ------
    AnalysisError
        If the file cannot be read or holds none.
    """
    try:
        with safe_open(path, "np") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise AnalysisError(f"{path}: cannot be read: {error}") from None
    if metadata.get("model") != QUANTIZED:
        raise AnalysisError(f"{path}: the file holds no {QUANTIZED}")
    names = [[f"layers.{i}.{part}" for part in PARTS] for i in range(len(metadata["input_scales"]))]
    absent = [name for layer in names for name in layer if name not in tensors]
    if absent:
        raise AnalysisError(f"{path}: the file lacks the tensors {', '.join(absent)}")
    layers = (
        QuantizedLayer(tensors[levels], tensors[bias], tensors[weight], scale)
        for (levels, bias, weight), scale in zip(names, metadata["input_scales"], strict=True)
    )
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
    write_whole(path, model.SerializeToString(deterministic=True))
