"""Training: it learns, it gives the same bytes, it survives what kills it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from relaxor.core.errors import AnalysisError
from relaxor.inpainting.checkpoints import STATE, to_tensors
from relaxor.inpainting.images import centre
from relaxor.inpainting.models import Discriminator, predict
from relaxor.inpainting.training import (
    LOSSES,
    Data,
    LossWeights,
    Networks,
    Plain,
    Settings,
    Trained,
    _decoder_loss,
    _discriminator_loss,
    train,
)

from tests.inpainting.samples import bar_data

pytestmark = pytest.mark.slow
"""Most of it is compilation."""

HOLE = 4
RATE = 5e-4
SHORT = Settings(epochs=6, batch=64, learning_rate=RATE, step_epochs=2, gamma=0.8)


def changed(**values) -> Settings:
    """The short training with other settings."""
    return SHORT.model_copy(update=values)


@pytest.fixture(scope="module")
def data() -> Data:
    return bar_data(300, HOLE)


@pytest.fixture(scope="module")
def whole(data: Data) -> Trained:
    """The same training as the interrupted ones, in one go."""
    return train(data, HOLE, SHORT)


def content(trained: Trained) -> dict[str, bytes]:
    return {name: values.tobytes() for name, values in to_tensors(trained.networks).items()}


@eqx.filter_jit
def _judge(discriminator: Discriminator, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.vmap(discriminator)(images)


class Killed(BaseException):
    pass


def kill_after(last: int) -> Callable[..., None]:
    def progress(epoch: int, losses: object) -> None:
        if epoch == last:
            raise Killed

    return progress


# --- what is learned
def test_holes_are_filled_far_better_than_by_the_mean(data: Data) -> None:
    trained = train(data, HOLE, changed(epochs=60, step_epochs=20))
    test = bar_data(300, HOLE, seed=1)
    truth, known = (np.asarray(d.images)[:, centre(HOLE), centre(HOLE)] for d in (test, data))
    error = np.mean((predict(trained.networks.decoder, test.currents) - truth) ** 2)
    assert error < 0.25 * np.mean((known.mean(axis=0) - truth) ** 2)
    history = trained.history
    assert list(history) == ["epoch", "learning_rate", *LOSSES] and len(history) == 60
    # One in 26 by chance; the discriminator reads the angles of the bars.
    assert history["discriminator_letter_real"].iloc[-1] < 0.5 * np.log(26)
    assert history["reconstruction"].iloc[-1] < 0.25 * history["reconstruction"].iloc[0]


def test_rate_falls_in_steps(whole: Trained) -> None:
    expected = RATE * np.array([1, 1, 0.8, 0.8, 0.64, 0.64])
    np.testing.assert_allclose(whole.history["learning_rate"], expected)
    longer = changed(step_epochs=20)
    assert [longer.rate(epoch) for epoch in (1, 20)] == [RATE, RATE] and longer.rate(21) == pytest.approx(0.8 * RATE)


def test_losses_are_those_of_the_docstrings(data: Data) -> None:
    networks = Networks.create(HOLE, 3)
    batch = jax.tree.map(lambda values: values[:32], data)
    weights = LossWeights(0.5, 0.25)
    judge = networks.discriminator
    total, (completed, decoder) = eqx.filter_jit(_decoder_loss)(
        networks.decoder, judge, batch, Plain(), jax.random.key(0), weights
    )
    summed, discriminator = eqx.filter_jit(_discriminator_loss)(judge, batch, completed)
    patch = predict(networks.decoder, batch.currents)
    np.testing.assert_allclose(completed[:, centre(HOLE), centre(HOLE)], patch, rtol=1e-5)
    outside = np.ones((28, 28), bool)
    outside[centre(HOLE), centre(HOLE)] = False
    np.testing.assert_array_equal(np.asarray(completed)[:, outside], np.asarray(batch.images)[:, outside])
    squared = np.mean((patch - np.asarray(batch.images)[:, centre(HOLE), centre(HOLE)]) ** 2)
    assert decoder["reconstruction"] == pytest.approx(squared, rel=1e-5)
    real, letters = (np.asarray(values, float) for values in _judge(judge, completed))
    chances = 1 / (1 + np.exp(-real))
    assert decoder["adversarial"] == pytest.approx(-np.log(chances).mean(), rel=1e-5)
    assert discriminator["discriminator_generated"] == pytest.approx(-np.log(1 - chances).mean(), rel=1e-5)
    likelihood = letters - np.log(np.exp(letters).sum(axis=1, keepdims=True))
    expected = -likelihood[np.arange(32), np.asarray(batch.labels)].mean()
    assert decoder["letter_generated"] == pytest.approx(expected, rel=1e-5)
    assert discriminator["discriminator_letter_generated"] == pytest.approx(expected, rel=1e-5)
    weighted = decoder["reconstruction"] + 0.5 * decoder["adversarial"] + 0.25 * decoder["letter_generated"]
    assert float(total) == pytest.approx(float(weighted), rel=1e-5)
    assert float(summed) == pytest.approx(float(sum(discriminator.values())), rel=1e-5)


def test_a_step_is_adam_down_both_gradients() -> None:
    """One epoch of one batch, against optax.adam on losses written out here."""
    data = bar_data(64, HOLE)
    networks = Networks.create(HOLE, 0)
    weights = SHORT.weights

    def decoder_loss(decoder):
        return _decoder_loss(decoder, networks.discriminator, data, Plain(), jax.random.key(0), weights)[0]

    def discriminator_loss(discriminator):
        completed = _decoder_loss(networks.decoder, discriminator, data, Plain(), jax.random.key(0), weights)[1][0]
        return _discriminator_loss(discriminator, data, jax.lax.stop_gradient(completed))[0]

    slopes = Networks(
        jax.jit(jax.grad(decoder_loss))(networks.decoder),
        jax.jit(jax.grad(discriminator_loss))(networks.discriminator),
    )
    adam = optax.adam(RATE)
    expected = optax.apply_updates(networks, adam.update(slopes, adam.init(networks))[0])
    found = train(data, HOLE, changed(epochs=1)).networks
    # Adam's first step is the rate times the sign: where a gradient is rounding error, so is its sign.
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert np.mean(np.abs(one - other) > 1e-6) < 0.01


# --- the same bytes
def test_same_seed_same_bytes(data: Data, whole: Trained) -> None:
    again = train(data, HOLE, SHORT)
    assert content(again) == content(whole)
    assert again.history.equals(whole.history)
    assert content(train(data, HOLE, changed(seed=1))) != content(whole)


@pytest.mark.parametrize("last", [1, 3, 5])
def test_killed_and_resumed_is_the_same(data: Data, whole: Trained, tmp_path: Path, last: int) -> None:
    with pytest.raises(Killed):
        train(data, HOLE, SHORT, folder=tmp_path, checkpoint_epochs=2, progress=kill_after(last))
    seen: list[int] = []
    resumed = train(data, HOLE, SHORT, folder=tmp_path, checkpoint_epochs=2, progress=lambda e, _: seen.append(e))
    assert seen == list(range(last // 2 * 2 + 1, 7))
    assert content(resumed) == content(whole)
    assert resumed.history.equals(whole.history)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch_0004.safetensors",
        "epoch_0006.safetensors",
        STATE,
    ]


def test_finished_training_is_not_repeated_and_goes_on(data: Data, whole: Trained, tmp_path: Path) -> None:
    train(data, HOLE, changed(epochs=4), folder=tmp_path)
    train(data, HOLE, changed(epochs=4), folder=tmp_path, progress=kill_after(4))
    assert content(train(data, HOLE, SHORT, folder=tmp_path)) == content(whole)


def test_damaged_checkpoint_falls_back_to_the_one_before(data: Data, whole: Trained, tmp_path: Path) -> None:
    train(data, HOLE, SHORT, folder=tmp_path, checkpoint_epochs=2)
    newest = tmp_path / "epoch_0006.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1000])
    seen: list[int] = []
    resumed = train(data, HOLE, SHORT, folder=tmp_path, checkpoint_epochs=2, progress=lambda e, _: seen.append(e))
    assert seen == [5, 6] and content(resumed) == content(whole)
    for path in tmp_path.glob("*.safetensors"):
        path.write_bytes(b"")
    with pytest.raises(AnalysisError, match=r"no checkpoint is complete \(epoch_0006.safetensors, epoch_0004"):
        train(data, HOLE, SHORT, folder=tmp_path)


def test_kill_while_writing_leaves_the_old(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(data, HOLE, changed(epochs=2), folder=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    real_replace = Path.replace

    def killed(path: Path, target: Path) -> Path:
        if Path(target).name == STATE:
            raise Killed
        return real_replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(Killed):
        train(data, HOLE, changed(epochs=4), folder=tmp_path)
    monkeypatch.undo()
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    seen: list[int] = []
    train(data, HOLE, changed(epochs=4), folder=tmp_path, progress=lambda e, _: seen.append(e))
    assert seen == [3, 4]


def test_killed_process_resumes(tmp_path: Path) -> None:
    script = (
        "import sys; from tests.inpainting.samples import bar_data; "
        "from relaxor.inpainting.training import Settings, train; "
        "t = train(bar_data(300, 4), 4, Settings(epochs=400, batch=64), folder=sys.argv[1], checkpoint_epochs=20); "
        "print(t.history['reconstruction'].iloc[-1])"
    )
    killed, straight = tmp_path / "killed", tmp_path / "straight"

    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script, str(folder)], cwd=Path(__file__).parents[2])

    process = start(killed)
    while not (killed / STATE).exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert json.loads((killed / STATE).read_text())["checkpoints"][0]["epoch"] < 400
    assert start(killed).wait() == start(straight).wait() == 0
    for name in (STATE, "epoch_0400.safetensors"):
        assert (killed / name).read_bytes() == (straight / name).read_bytes()


# --- what goes wrong
def test_loss_that_is_not_finite_names_the_last_good_checkpoint(data: Data, tmp_path: Path) -> None:
    bad = changed(gamma=1e40)
    with pytest.raises(AnalysisError, match=r"not finite in epoch 3; last good .*epoch_0002.safetensors \(epoch 2\)"):
        train(data, HOLE, bad, folder=tmp_path, checkpoint_epochs=1)
    state = json.loads((tmp_path / STATE).read_text())
    assert [entry["epoch"] for entry in state["checkpoints"]] == [2, 1]
    assert (tmp_path / "epoch_0002.safetensors").exists()
    with pytest.raises(AnalysisError, match="not finite in epoch 1; last good checkpoint: none, as"):
        train(replace_images(data, jnp.nan), HOLE, SHORT)


def replace_images(data: Data, value: float) -> Data:
    return Data(data.currents, data.images.at[5].set(value), data.labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: {"settings": changed(seed=4)}, "seed was 0, is 4"),
        (lambda: {"settings": changed(learning_rate=1e-3)}, "learning_rate was 0.0005, is 0.001"),
        (lambda: {"data": bar_data(300, HOLE, seed=9)}, "data_sha256"),
        (lambda: {"start": Networks.create(HOLE, 8)}, "start_sha256"),
    ],
)
def test_checkpoints_of_another_training_are_refused(
    data: Data, tmp_path: Path, change: Callable[[], dict], message: str
) -> None:
    train(data, HOLE, changed(epochs=1), folder=tmp_path)
    with pytest.raises(AnalysisError, match=f"another training; .*{message}"):
        train(**({"data": data, "hole": HOLE, "settings": SHORT, "folder": tmp_path} | change()))


def test_wrong_input_is_named(data: Data, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="300 images do not fill one batch of 512"):
        train(data, HOLE, changed(batch=512))
    (tmp_path / STATE).write_text("{")
    with pytest.raises(AnalysisError, match=r"state.json: no list of checkpoints"):
        train(data, HOLE, SHORT, folder=tmp_path)
