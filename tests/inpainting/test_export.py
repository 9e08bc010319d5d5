"""Files of decoders: back as they were, equal in onnxruntime, the same bytes."""

from pathlib import Path

import jax
import numpy as np
import onnx
import onnxruntime
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.crossbar.levels import integer_decoder
from relaxor.inpainting.export import export_onnx, load_quantized, save_quantized
from relaxor.inpainting.models import Decoder, predict
from relaxor.inpainting.rounding import round_decoder
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

CURRENTS = np.random.default_rng(0).random((500, 196)).astype(np.float32)


@pytest.fixture(params=[4, 12])
def decoder(request) -> Decoder:
    return Decoder.create(request.param, jax.random.key(1))


@pytest.mark.costly
@pytest.mark.parametrize("per_column", [False, True])
def test_integers_come_back(decoder: Decoder, per_column: bool, tmp_path: Path) -> None:
    quantized = round_decoder(decoder, CURRENTS, per_column=per_column)
    save_quantized(tmp_path / "a.safetensors", quantized)
    back = load_quantized(tmp_path / "a.safetensors")
    assert back.bits == quantized.bits
    for one, other in zip(back.layers, quantized.layers, strict=True):
        assert one.levels.dtype == np.int8 and one.input_scale == other.input_scale
        for part in ("levels", "bias", "weight_scale"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
    np.testing.assert_array_equal(integer_decoder(back, CURRENTS), integer_decoder(quantized, CURRENTS))
    save_quantized(tmp_path / "b.safetensors", back)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_onnx_draws_the_same(decoder: Decoder, tmp_path: Path) -> None:
    export_onnx(tmp_path / "a.onnx", decoder)
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    (drawn,) = session.run(["pixels"], {"currents": CURRENTS})
    assert drawn.shape == (500, decoder.hole**2)
    np.testing.assert_allclose(drawn.reshape(-1, decoder.hole, decoder.hole), predict(decoder, CURRENTS), atol=1e-6)
    export_onnx(tmp_path / "b.onnx", decoder)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert onnx.load(tmp_path / "a.onnx").producer_name == "relaxor"


def test_wrong_file_is_named(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(AnalysisError, match=r"a.safetensors: cannot be read: "):
        load_quantized(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(AnalysisError, match=r"a.safetensors: cannot be read: "):
        load_quantized(path)
    save_file({"x": np.zeros(3)}, path)
    with pytest.raises(AnalysisError, match="the file holds no quantized decoder"):
        load_quantized(path)
    save_quantized(path, round_decoder(decoder, CURRENTS))
    with safe_open(path, "np") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    del tensors["layers.1.bias"]
    save_file(tensors, path, metadata)
    with pytest.raises(AnalysisError, match=r"lacks the tensors layers\.1\.bias"):
        load_quantized(path)
