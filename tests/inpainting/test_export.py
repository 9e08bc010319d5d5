"""Files of decoders: back as they were, equal in onnxruntime, the same bytes."""

from pathlib import Path

import jax
import numpy as np
import onnx
import onnxruntime
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.crossbar.levels import integer_decoder
from relaxor.inpainting.export import export_onnx, load_decoder, load_quantized, save_decoder, save_quantized
from relaxor.inpainting.models import Decoder, predict
from relaxor.inpainting.rounding import round_decoder
from safetensors.numpy import load_file, save_file

CURRENTS = np.random.default_rng(0).random((500, 196)).astype(np.float32)


@pytest.fixture(params=[4, 12])
def decoder(request) -> Decoder:
    return Decoder.create(request.param, jax.random.key(1))


def test_decoder_comes_back(decoder: Decoder, tmp_path: Path) -> None:
    save_decoder(tmp_path / "a.safetensors", decoder)
    back = load_decoder(tmp_path / "a.safetensors")
    assert jax.tree.structure(back) == jax.tree.structure(decoder)
    np.testing.assert_array_equal(predict(back, CURRENTS), predict(decoder, CURRENTS))
    save_decoder(tmp_path / "b.safetensors", back)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert set(load_file(tmp_path / "a.safetensors")) == {
        f"layers.{i}.{p}" for i in range(3) for p in ("weight", "bias")
    }


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
        load_decoder(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(AnalysisError, match=r"a.safetensors: cannot be read: "):
        load_decoder(path)
    save_file({"x": np.zeros(3)}, path)
    with pytest.raises(AnalysisError, match="a decoder is needed, the file holds something else"):
        load_decoder(path)
    save_decoder(path, decoder)
    with pytest.raises(AnalysisError, match="a quantized decoder is needed, the file holds decoder"):
        load_quantized(path)
    tensors = load_file(path)
    del tensors["layers.1.bias"]
    save_file(tensors, path, {"relaxor": '{"model": "decoder"}'})
    with pytest.raises(AnalysisError, match=r"no tensor layers\.1\.bias"):
        load_decoder(path)
