"""Reading letters with the device, an epoch of the GAN beside PyTorch, and its share of the machine's arithmetic.

Run with ``uv run pytest tests/benchmarks/test_training.py --benchmark-enable --benchmark-only -o addopts=``.
Targets: 124,800 images encoded in under 10 s, and an epoch of 106,848 letters in under 10 s, on two cores. The training
step's operations are counted by hand and set against square matrix products of float32, the most this machine does;
both are the best of some rounds, as other work on the machine only slows them. ``extra_info`` holds the rates, and the
peak memory of the whole process.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from relaxor.inpainting.encoder import encode
from relaxor.inpainting.images import CLASSES, centre
from relaxor.inpainting.models import SLOPE, Decoder, Discriminator
from relaxor.inpainting.training import ADAM, Data, Networks, Plain, Settings, State, _epoch

from tests.benchmarks.turns import THREADS, medians
from tests.inpainting.samples import device

pytestmark = pytest.mark.slow
TRAIN, OFFICIAL = 106_848, 124_800
HOLE, BATCH, RATE = 12, 256, 5e-4
COMPARED = 64 * BATCH
"""Images of an epoch beside PyTorch."""
SQUARE = 2048


def random_images(n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 28, 28), np.float32)


def random_data(n: int) -> Data:
    rng = np.random.default_rng(0)
    return Data.create(rng.random((n, 196), np.float32), random_images(n), rng.integers(CLASSES, size=n))


def own_epoch(data: Data, networks: Networks) -> Callable[[], dict[str, jax.Array]]:
    """Return an epoch from these networks, and its losses."""
    state = State(networks, ADAM.init(networks))
    arguments = (state, data, Plain(), jax.random.key(0), jnp.float32(RATE), Settings().weights, BATCH)
    return lambda: jax.block_until_ready(_epoch(*arguments))[1]


def best(function: Callable[[], object], rounds: int) -> float:
    jax.block_until_ready(function())
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        jax.block_until_ready(function())
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def operations() -> float:
    """Operations of a step an image.

    Forward is two a weight, the gradient by the weights two more, that by the inputs two more where it is needed.
    """

    def weights(model: Decoder | Discriminator) -> list[int]:
        return [layer.weight.size for layer in model.layers]

    decoder = weights(Decoder.create(HOLE, jax.random.key(0)))
    discriminator = weights(Discriminator.create(jax.random.key(0)))
    drawn = 6 * sum(decoder) - 2 * decoder[0]
    # Forward on real and completed letters, the discriminator's own gradients on both, and the decoder's through it.
    judged = 2 * (6 * sum(discriminator) - 2 * discriminator[0]) + 2 * sum(discriminator)
    return drawn + judged


def test_reading_all_letters(benchmark):
    images, encoder = random_images(OFFICIAL), device()
    benchmark.pedantic(encode, (images, encoder, jax.random.key(0)), rounds=3)
    benchmark.extra_info["images_per_second"] = round(OFFICIAL / benchmark.stats.stats.min)
    benchmark.extra_info["seconds_with_compilation"] = round(benchmark.stats.stats.max, 1)


def test_epoch(benchmark):
    epoch = own_epoch(random_data(TRAIN), Networks.create(HOLE, 0))
    benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)
    seconds = benchmark.stats.stats.min
    square = jnp.asarray(random_images(SQUARE**2 // 784 + 1).ravel()[: SQUARE**2].reshape(SQUARE, SQUARE))
    product = jax.jit(jnp.matmul)
    peak = 2 * SQUARE**3 / best(lambda: product(square, square), 10)
    rate = operations() * (TRAIN // BATCH * BATCH) / seconds
    benchmark.extra_info |= {
        "threads": THREADS,
        "images_per_second": round(TRAIN / seconds),
        "gflops": round(rate / 1e9, 1),
        "matmul_gflops": round(peak / 1e9, 1),
        "part_of_matmul": round(rate / peak, 2),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(f"\nepoch {seconds:.2f} s, {rate / 1e9:.0f} GFLOP/s, matrix product {peak / 1e9:.0f} GFLOP/s")
    print(f"{benchmark.extra_info['peak_memory_mb']} MB at most")


class Peer:
    """The same step in eager PyTorch: the completed letters are judged once for both losses, as here."""

    def __init__(self, data: Data, networks: Networks):
        self.torch = pytest.importorskip("torch", reason="see tests/benchmarks/requirements.txt")
        self.torch.set_num_threads(THREADS)
        nn = self.torch.nn
        self.decoder = self.layers(networks.decoder, nn.ReLU, nn.Sigmoid())
        self.discriminator = self.layers(networks.discriminator, lambda: nn.LeakyReLU(SLOPE), nn.Identity())
        parameters = [*self.decoder.parameters(), *self.discriminator.parameters()]
        self.adam = self.torch.optim.Adam(parameters, RATE, fused=True)
        self.data = [self.torch.tensor(np.asarray(part)) for part in (data.currents, data.images, data.labels)]
        self.data[2] = self.data[2].long()

    def layers(self, model: Decoder | Discriminator, hidden: Callable[[], Any], last: Any) -> Any:
        parts: list = []
        for own in model.layers:
            layer = self.torch.nn.Linear(own.in_features, own.out_features)
            layer.weight.data, layer.bias.data = (
                self.torch.tensor(np.asarray(part)) for part in (own.weight, own.bias)
            )
            parts += [layer, hidden()]
        return self.torch.nn.Sequential(*parts[:-1], last)

    def step(self, currents: Any, images: Any, labels: Any) -> dict[str, Any]:
        where, weights = centre(HOLE), Settings().weights
        binary = self.torch.nn.functional.binary_cross_entropy_with_logits
        letter = self.torch.nn.functional.cross_entropy
        drawn = self.decoder(currents).view(-1, HOLE, HOLE)
        completed = images.clone()
        completed[:, where, where] = drawn
        real, found = (self.discriminator(each.flatten(1)) for each in (images, completed))
        ones, zeros = self.torch.ones(len(labels)), self.torch.zeros(len(labels))
        losses = {
            "reconstruction": self.torch.nn.functional.mse_loss(drawn, images[:, where, where]),
            "adversarial": binary(found[:, 0], ones),
            "letter_generated": letter(found[:, 1:], labels),
            "discriminator_real": binary(real[:, 0], ones),
            "discriminator_generated": binary(found[:, 0], zeros),
            "discriminator_letter_real": letter(real[:, 1:], labels),
        }
        drawing = losses["reconstruction"] + weights.adversarial * losses["adversarial"]
        drawing = drawing + weights.letter * losses["letter_generated"]
        judging = losses["discriminator_real"] + losses["discriminator_generated"]
        judging = judging + losses["discriminator_letter_real"] + losses["letter_generated"]
        for loss, model in ((drawing, self.decoder), (judging, self.discriminator)):
            parameters = list(model.parameters())
            slopes = self.torch.autograd.grad(loss, parameters, retain_graph=True)
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter.grad = slope
        self.adam.step()
        return losses

    def epoch(self) -> None:
        for rows in self.torch.randperm(len(self.data[2])).split(BATCH):
            self.step(*(part[rows] for part in self.data))


def test_epoch_beside_pytorch(benchmark):
    """Equal losses of a first step, then epochs in turns."""
    data, networks = random_data(COMPARED), Networks.create(HOLE, 0)
    first = jax.tree.map(lambda values: values[:BATCH], data)
    own = own_epoch(first, networks)()
    peer = Peer(first, networks)
    for name, loss in peer.step(*peer.data).items():
        assert loss.item() == pytest.approx(float(own[name]), rel=1e-4), name
    epoch, peer = own_epoch(data, networks), Peer(data, networks)
    seconds = medians({"here": epoch, "pytorch": peer.epoch}, 9)
    ratio = seconds["pytorch"] / seconds["here"]
    benchmark.extra_info |= {f"{name}_images_per_second": round(COMPARED / found) for name, found in seconds.items()}
    benchmark.extra_info |= {"threads": THREADS, "times_as_fast": round(ratio, 2)}
    print(f"\n{benchmark.extra_info}")
    benchmark.pedantic(epoch)
