"""The chip's decoder and its wires against PyTorch, aihwkit-lightning and badcrossbar, and whether they err alike.

Run with ``NPROC=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=workflow python -m pytest
tests/benchmarks/test_crossbar.py -m "" -o addopts= -s`` where the peers of ``requirements.txt`` are installed.
Targets: written weights behind 8-bit converters at 0.8 of the speed of the float decoder in PyTorch, with fresh noise
of every read at 0.55, ten chips in one call at three times the speed of the best peer, and the wires of a 576×128 array
in less than a second. All are measured in turns in one process; ``extra_info`` holds the rates (medians) and ratios.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from relaxor.crossbar.chip import IDEAL, Chip, Converter
from relaxor.crossbar.compute import Matrices, Network, Periphery, assemble, calibrate, inference
from relaxor.crossbar.fast_normal import normals
from relaxor.crossbar.levels import QuantizedDecoder, QuantizedLayer, integer_sums
from relaxor.crossbar.network import transfer_matrix
from relaxor.crossbar.write import calibrate_relaxation, program
from relaxor.inpainting.models import Decoder, predict
from relaxor.inpainting.rounding import round_decoder

from tests.benchmarks.turns import THREADS, medians
from tests.project import SETTINGS

pytestmark = pytest.mark.slow
PEERS = "see tests/benchmarks/requirements.txt"
IMAGES, CHIPS, BATCH, ROUNDS = 20_800, 10, 1040, 15
CODES = 127
"""Largest magnitude of inputs, and of the codes of both converters."""
INPUTS = np.random.default_rng(0).random((IMAGES, 196), np.float32)
DECODER = Decoder.create(12, jax.random.key(0))
PAPER = SETTINGS.crossbar.chip


# --- here
def paper(read_noise: float, pulses: str = "levels") -> Chip:
    return replace(PAPER, read_noise=read_noise, converter=Converter(pulses=pulses, adc_bits=8))


def written(chip: Chip, number: int) -> tuple[Network, Periphery, list[Matrices]]:
    """Write chips; the wires, which do not change the speed, are left out."""
    network = assemble(round_decoder(DECODER, INPUTS[:512], per_column=True), chip)
    targets = network.targets()
    relaxation = calibrate_relaxation(targets[network.used()], chip)
    keys = jax.random.split(jax.random.key(1), number)
    matrices = [network.matrices(np.asarray(program(key, targets, chip, relaxation).levels)) for key in keys]
    return network, calibrate(network, matrices[0], INPUTS[:512]), matrices


def one_chip(chip: Chip) -> Callable[[], object]:
    network, periphery, (matrices,) = written(chip, 1)
    decode, inputs, key = inference(network), jnp.asarray(INPUTS), jax.random.key(2)
    return lambda: jax.block_until_ready(decode(matrices, periphery, inputs, key))


def many_chips(chip: Chip, images: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return ten chips in one call, and one after the other."""
    network, periphery, matrices = written(chip, CHIPS)
    decode, inputs, keys = inference(network), jnp.asarray(INPUTS[:images]), jax.random.split(jax.random.key(2), CHIPS)
    together = jax.jit(jax.vmap(decode, in_axes=(0, None, None, 0)))
    stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *matrices)
    return (
        lambda: jax.block_until_ready(together(stacked, periphery, inputs, keys)),
        lambda: [jax.block_until_ready(decode(m, periphery, inputs, k)) for m, k in zip(matrices, keys, strict=True)],
    )


# --- peers
def analog_settings(out_noise: float = 0.0, weight_noise: float = 0.0, *, out_bound: float = 0.0) -> Any:
    """Return inputs of 8 bits, outputs of 8 bits inside a bound, and noise, which the peer adds in training only."""
    configs = pytest.importorskip("aihwkit_lightning.simulator.configs", reason=PEERS)
    settings = configs.TorchInferenceRPUConfig()
    settings.pre_post.input_range = configs.InputRangeParameter(
        enable=True, learn_input_range=False, init_value=1.0, init_from_data=0
    )
    settings.forward.inp_res, settings.forward.out_noise = 2 * CODES, out_noise
    if out_bound:
        settings.forward.out_res, settings.forward.out_bound = 2 * CODES, out_bound
    settings.mapping.max_input_size = PAPER.rows
    if weight_noise:
        settings.modifier.noise_type = configs.WeightNoiseInjectionType.ADD_NORMAL
        settings.modifier.std_dev = weight_noise
    return settings


def torch_decoder(settings: Any = None, *, noisy: bool = False) -> Any:
    """Return the decoder in PyTorch, in aihwkit-lightning where there are settings."""
    torch = pytest.importorskip("torch", reason=PEERS)
    torch.set_num_threads(THREADS)
    parts: list = []
    for own in DECODER.layers:
        layer = torch.nn.Linear(own.in_features, own.out_features)
        layer.weight.data, layer.bias.data = (torch.tensor(np.asarray(part)) for part in (own.weight, own.bias))
        if settings:
            nn = pytest.importorskip("aihwkit_lightning.nn", reason=PEERS)
            layer = nn.AnalogLinear.from_digital(layer, settings)
        parts += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1], torch.nn.Sigmoid()).train(noisy)


def torch_draw(model: Any, images: int = IMAGES) -> Any:
    """Draw in batches, which stay in the cache: all at once takes 1.4 times as long."""
    torch = pytest.importorskip("torch", reason=PEERS)
    with torch.inference_mode():
        return torch.cat([model(part) for part in torch.from_numpy(INPUTS[:images]).split(BATCH)])


# --- speed
def test_images_a_second(benchmark):
    model = torch_decoder()
    np.testing.assert_allclose(torch_draw(model), predict(DECODER, INPUTS).reshape(IMAGES, -1), atol=1e-5)
    analog, analog_noisy = (
        torch_decoder(analog_settings(noise, out_bound=10.0), noisy=noise > 0) for noise in (0.0, 0.1)
    )
    cases = {
        "pytorch": lambda: torch_draw(model),
        "written": one_chip(paper(0.0)),
        "written, read noise": one_chip(paper(0.01)),
        "aihwkit-lightning": lambda: torch_draw(analog),
        "aihwkit-lightning, output noise": lambda: torch_draw(analog_noisy),
    }
    report(benchmark, medians(cases, ROUNDS), IMAGES, "pytorch")
    benchmark.pedantic(cases["written, read noise"])


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_ten_chips_at_once(benchmark, noise):
    images = 2 * BATCH
    together, apart = many_chips(paper(noise), images)
    settings = analog_settings(10 * noise, out_bound=10.0)
    peers = [torch_decoder(settings, noisy=noise > 0) for _ in range(CHIPS)]
    cases = {
        "aihwkit-lightning": lambda: [torch_draw(peer, images) for peer in peers],
        "in one call": together,
        "one after the other": apart,
    }
    report(benchmark, medians(cases, ROUNDS), CHIPS * images, "aihwkit-lightning")
    benchmark.pedantic(together)


def test_bits_one_after_another(benchmark):
    model = torch_decoder()
    cases = {
        "pytorch": lambda: torch_draw(model),
        "bits": one_chip(paper(0.0, "bits")),
        "bits, read noise": one_chip(paper(0.01, "bits")),
    }
    report(benchmark, medians(cases, 5), IMAGES, "pytorch")
    benchmark.pedantic(cases["bits"])


def report(benchmark: Any, seconds: dict[str, float], images: int, reference: str) -> None:
    benchmark.extra_info["threads"] = THREADS
    for name, median in seconds.items():
        rate, ratio = images / median / 1e3, seconds[reference] / median
        benchmark.extra_info[name] = {"thousand_images_per_second": round(rate, 1), "ratio": round(ratio, 2)}
        print(f"\n{name}: {rate:.1f} thousand images/s, {ratio:.2f} of {reference}", end="")


# --- wires
def conductances(rows: int, columns: int) -> np.ndarray:
    levels = np.random.default_rng(0).integers(1, 8, (rows, columns))
    return levels * PAPER.level_conductance


def test_wires_of_an_array(benchmark):
    """Both signs, as the chip has them."""
    levels = np.random.default_rng(0).integers(-8, 8, (576, 128)) * PAPER.level_conductance
    wires = {"row_resistance": 0.1, "column_resistance": 0.1}
    benchmark.pedantic(
        transfer_matrix, (np.maximum(levels, 0), np.maximum(-levels, 0)), wires, rounds=7, warmup_rounds=1
    )
    print(f"\n{benchmark.stats.stats.median:.2f} s an array of 576×128")


@pytest.mark.parametrize("shape", [(64, 32), (128, 64), (576, 128)])
def test_wires_as_in_badcrossbar(benchmark, shape):
    """One sign and the same segments; of the full array one vector of inputs only, as the peer solves each anew."""
    peer = pytest.importorskip("badcrossbar", reason=PEERS)
    cells = conductances(*shape)
    voltages = np.eye(shape[0]) if shape[0] <= 128 else np.random.default_rng(1).random((shape[0], 1))
    wires = {"row_resistance": 1.0, "column_resistance": 2.0}

    def solved() -> np.ndarray:
        options = {"node_voltages": False, "all_currents": False}
        return peer.compute(voltages, 1 / cells, r_i_word_line=1.0, r_i_bit_line=2.0, **options).currents.output.T

    np.testing.assert_allclose(transfer_matrix(cells, **wires) @ voltages, solved(), rtol=1e-10)
    seconds = medians({"here": lambda: transfer_matrix(cells, **wires), "badcrossbar": solved}, 5)
    benchmark.extra_info |= {name: round(median, 4) for name, median in seconds.items()}
    benchmark.extra_info["ratio"] = round(seconds["badcrossbar"] / seconds["here"], 1)
    print(f"\n{shape}: {seconds['here']:.3f} s, badcrossbar {seconds['badcrossbar']:.3f} s, {voltages.shape[1]} inputs")
    benchmark.pedantic(transfer_matrix, (cells,), wires)


# --- errors
ROWS, COLUMNS, READS = 120, 100, 4000
STEP = 127.0
"""What one code of the outputs means, in units of a sum: odd, so that no sum lies half way."""
LAYER = QuantizedDecoder(
    (
        QuantizedLayer(
            np.random.default_rng(3).integers(-7, 8, (COLUMNS, ROWS)).astype(np.int8),
            np.zeros(COLUMNS, np.int32),
            np.ones(1),
            1 / CODES,
        ),
    ),
    8,
)
CODED = np.random.default_rng(4).permuted(np.tile(np.arange(ROWS), (READS, 1)), axis=1).astype(np.float32) / CODES
"""Inputs of equal length, so that noise of the outputs can stand for noise of the cells."""
LENGTH = float(np.linalg.norm(CODED[0]))


def own_sums(chip: Chip, write_error: float = 0.0) -> np.ndarray:
    """Return the sums of the layer; a write error is that of another chip for every input."""
    network = assemble(LAYER, chip)
    matrix = network.matrices(network.targets())[0][0]
    periphery = Periphery([[jnp.full((1, COLUMNS), STEP)]], [jnp.ones(COLUMNS)], [jnp.zeros(COLUMNS)])
    decode = inference(network)
    if not write_error:
        return np.asarray(decode([[matrix]], periphery, jnp.asarray(CODED), jax.random.key(0))[0])

    def on_its_own(inputs: jax.Array, key: jax.Array) -> jax.Array:
        return decode([[matrix + write_error * normals(key, matrix.shape)]], periphery, inputs[None], key)[0][0]

    return np.asarray(jax.vmap(on_its_own)(jnp.asarray(CODED), jax.random.split(jax.random.key(0), READS)))


def peer_sums(settings: Any, *, noisy: bool) -> np.ndarray:
    """Return the sums of the layer; noise of the weights is drawn once a call, hence one input a call."""
    torch = pytest.importorskip("torch", reason=PEERS)
    nn = pytest.importorskip("aihwkit_lightning.nn", reason=PEERS)
    layer = nn.AnalogLinear(ROWS, COLUMNS, bias=False, rpu_config=settings)
    layer.set_weights(torch.tensor(LAYER.layers[0].levels, dtype=torch.float32))
    layer.train(noisy)
    torch.manual_seed(0)
    with torch.inference_mode():
        return CODES * np.concatenate([layer(part).numpy() for part in torch.from_numpy(CODED).split(1)])


@pytest.mark.parametrize("bits", [None, 8])
@pytest.mark.parametrize("noise", ["none", "write", "read", "output"])
def test_errors_are_those_of_the_peer(noise, bits):
    """Each of the peer's noises, behind its converter and without it, and what it stands for here."""
    size = 0.05 if noise == "write" else 0.01
    chip = replace(
        IDEAL,
        read_noise=0.0 if noise in ("none", "write") else size,
        converter=Converter(pulses="levels", adc_bits=bits),
    )
    settings = analog_settings(
        out_noise=size * LENGTH if noise == "output" else 0.0,
        weight_noise=size if noise in ("write", "read") else 0.0,
        out_bound=0.0 if bits is None else STEP / 7,
    )
    exact = integer_sums(LAYER, CODED)
    own = own_sums(chip, 7 * size if noise == "write" else 0.0) - exact
    peer = peer_sums(settings, noisy=noise != "none") - exact
    print(f"\n{noise}, {bits}: standard deviation of the error {own.std():.4f}, aihwkit-lightning {peer.std():.4f}")
    if noise == "none":
        np.testing.assert_allclose(own, peer, atol=0.01)
    else:
        # Of the ratio, from as many numbers: sqrt(1/n); four times that.
        assert own.std() / peer.std() == pytest.approx(1, abs=4 / np.sqrt(own.size))
