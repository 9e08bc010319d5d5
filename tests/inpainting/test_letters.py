import gzip
import hashlib
import io
import re
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from relaxor.core import remote
from relaxor.core.errors import ReadError
from relaxor.inpainting import download
from relaxor.inpainting import letters as letters_module
from relaxor.inpainting.download import fetch_emnist
from relaxor.inpainting.idx import FOLDER_VARIABLE, NAMES, letter_files
from relaxor.inpainting.images import ink
from relaxor.inpainting.letters import Letters, drawn_letters, load_letters, prepare_letters, read_letters
from relaxor.inpainting.procedural import draw_letters, render
from relaxor.inpainting.skeletons import SEGMENTS, STROKES, skeletons


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def official(seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Images as the files hold them (transposed), labels 1 to 26."""
    images, labels = draw_letters(number, seed)
    return images.transpose(0, 2, 1), labels + 1


def write(folder: Path, pack: Callable[[bytes], bytes] = gzip.compress, **changed: bytes) -> Path:
    """A folder of the four files; `changed`: train_images=… the bytes of one instead."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, number in (("train", 52), ("test", 26)):
        images, labels = official(number, number)
        for kind, values in (("images", images), ("labels", labels)):
            name = NAMES[part, kind] if pack is gzip.compress else NAMES[part, kind].removesuffix(".gz")
            (folder / name).write_bytes(changed.get(f"{part}_{kind}", pack(idx(values))))
    return folder


def letters_in(folder: Path) -> Letters:
    return read_letters(letter_files("emnist", str(folder)))


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_files_become_upright_images_and_labels_from_zero(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    letters = letters_in(write(tmp_path / "emnist", pack))
    images, labels = draw_letters(52, 52)
    np.testing.assert_array_equal(letters.images_train, images)
    np.testing.assert_array_equal(ink(letters.images_train), images.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(letters.labels_train, labels)
    np.testing.assert_array_equal(letters.labels_test, draw_letters(26, 26)[1])
    digest = hashlib.sha256(idx(images.transpose(0, 2, 1))).hexdigest()
    assert "rebuilt split, not the official one (52 train, 26 test)" in letters.source
    assert f"train images {digest}" in letters.source


def test_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(write(tmp_path / "emnist")))
    assert len(letters_in(tmp_path / "elsewhere").labels_test) == 26


def test_official_split_is_known_by_its_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "emnist")
    digest = hashlib.sha256(idx(official(26, 26)[1])).hexdigest()
    monkeypatch.setattr(letters_module, "OFFICIAL_TEST_LABELS", digest)
    assert "rebuilt split" in letters_in(folder).source
    monkeypatch.setattr(letters_module, "TRAIN", 52)
    assert letters_in(folder).source.startswith("EMNIST letters, official split (52 train, 26 test)")


def test_letters_are_found_in_the_whole_archive_s_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "emnist")
    for name in NAMES.values():
        (folder / name.replace("letters", "digits")).write_bytes(b"digits")
    assert len(letters_in(folder).labels_train) == 52


def digits(number: int) -> bytes:
    return gzip.compress(idx(np.arange(number) % 10))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_images": gzip.compress(idx(official(52, 52)[0]))[:-2000]}, r"train-images.*end-of-stream"),
        ({"train_images": gzip.compress(idx(official(52, 52)[0])[:-784])}, r"52 × 28 × 28 = 40768 bytes, only 39984"),
        ({"train_images": gzip.compress(idx(official(52, 52)[0]) + b"x")}, r"40768 bytes, more follow"),
        ({"train_images": b"\x1f\x8b" + bytes(100)}, r"cannot be read"),
        ({"train_images": gzip.compress(idx(official(52, 52)[1]))}, r"holds labels, not images.*swapped"),
        ({"test_labels": gzip.compress(idx(official(26, 26)[0]))}, r"holds images, not labels.*swapped"),
        ({"train_images": gzip.compress(b"PNG" + bytes(5000))}, r"no idx file of bytes \(starts with b'PNG"),
        ({"train_images": gzip.compress(b"\0\0\x0d\x03" + bytes(5000))}, r"no idx file of bytes"),
        ({"train_images": gzip.compress(b"\0\0\x08\x03\0\0")}, r"ends in its header"),
        ({"train_images": b""}, r"no idx file"),
        ({"train_images": gzip.compress(struct.pack(">4I", 0x803, 1 << 31, 28, 28))}, r"2147483648 × 28 × 28"),
        ({"train_images": gzip.compress(struct.pack(">4I", 0x803, 0, 28, 28))}, r"0 × 28 × 28"),
        ({"train_labels": gzip.compress(idx(np.full(52, 27)))}, r"label 1: label 27.*1 to 26"),
        ({"train_labels": gzip.compress(idx(np.arange(52) % 26))}, r"label 1: label 0"),
        ({"train_labels": digits(52)}, r"labels 0 to 9: these are digits"),
        ({"test_labels": gzip.compress(idx(official(26, 25)[1]))}, r"25 labels for the 26 images"),
        ({"test_images": gzip.compress(idx(np.zeros((26, 32, 32))))}, r"32 × 32 pixels; 28 × 28 needed"),
    ],
)
def test_damaged_or_wrong_files_are_named(tmp_path: Path, changed: dict[str, bytes], message: str) -> None:
    with pytest.raises(ReadError, match=message) as caught:
        letters_in(write(tmp_path / "emnist", **changed))
    part, kind = next(iter(changed)).split("_")
    assert NAMES[part, kind] in str(caught.value)


def test_missing_and_double_files_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "emnist")
    kept = (folder / NAMES["test", "labels"]).rename(tmp_path / "kept")
    with pytest.raises(ReadError, match=r"but no \*test-labels-idx1-ubyte"):
        letters_in(folder)
    for name in ("one", "two"):
        (folder / f"{name}-letters-test-labels-idx1-ubyte.gz").write_bytes(kept.read_bytes())
    with pytest.raises(ReadError, match="2 files of test labels"):
        letters_in(folder)


@pytest.mark.slow
def test_real_letters_are_upright(emnist: Path) -> None:
    letters = letters_in(emnist)
    assert len(letters.labels_test) == 20_800
    assert "rebuilt split" in letters.source
    mean = {name: letters.images_test[letters.labels_test == ord(name) - ord("A")].mean(0) for name in "TLU"}
    assert mean["T"][:14].sum() > 1.1 * mean["T"][14:].sum()
    assert mean["L"][14:].sum() > 1.05 * mean["L"][:14].sum()
    assert mean["U"][:8, 11:17].mean() < mean["U"][18:24, 11:17].mean()
    drawn, labels = draw_letters(5200, 0, 0)
    means = np.stack([drawn[labels == c].mean(0).ravel() for c in range(26)]) / 255
    images = ink(letters.images_test[::4]).reshape(-1, 784)
    found = ((means**2).sum(1) - 2 * images @ means.T).argmin(1)
    assert np.mean(found == letters.labels_test[::4]) > 0.40
    assert drawn.mean() / 255 == pytest.approx(float(images.mean()), rel=0.1)


def test_where_letters_come_from_is_one_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    full, empty = str(write(tmp_path / "emnist")), str(tmp_path / "nowhere")
    assert [len(letter_files(source, full)) for source in ("auto", "emnist", "drawn")] == [4, 4, 0]
    assert letter_files("auto", empty) == letter_files("drawn", empty) == []
    with pytest.raises(ReadError, match="holds no EMNIST letters; 'snakemake fetch_emnist'"):
        letter_files("emnist", empty)


@pytest.mark.parametrize("source", ["emnist", "drawn"])
def test_prepared_letters_say_where_they_come_from(tmp_path: Path, source: str) -> None:
    path = tmp_path / "letters.nc"
    files = letter_files(source, str(write(tmp_path / "emnist")))
    prepare_letters(files, str(path), train=52, test=26)
    content, found = path.read_bytes(), load_letters(path)
    expected = read_letters(files) if files else drawn_letters(train=52, test=26)
    for part in ("images_train", "labels_train", "images_test", "labels_test"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))
    assert found.source == expected.source and found.sha256 == expected.sha256
    assert found.origin == ("measured" if source == "emnist" else "simulated")
    prepare_letters(files, str(path), train=52, test=26)
    assert path.read_bytes() == content
    (tmp_path / "other.nc").write_bytes(b"no letters")
    with pytest.raises(ReadError, match="holds no letters"):
        load_letters(tmp_path / "other.nc")


def test_drawn_letters_follow_from_the_seed() -> None:
    first = drawn_letters(7, train=5300, test=260)
    again = drawn_letters(7, train=60, test=260)
    np.testing.assert_array_equal(first.images_train[:60], again.images_train)
    np.testing.assert_array_equal(first.labels_train[:60], again.labels_train)
    np.testing.assert_array_equal(first.images_test, again.images_test)
    assert "seed 7" in first.source
    assert "not EMNIST" in first.source
    assert not np.array_equal(first.images_train[:26], drawn_letters(8, 26, 26).images_train)
    assert not np.array_equal(first.images_train[:26], first.images_test[:26])
    assert np.ptp(np.bincount(first.labels_test, minlength=26)) == 0
    flat = np.concatenate([first.images_train, first.images_test]).reshape(-1, 784)
    assert len(np.unique(flat, axis=0)) == len(flat)


def test_procedural_images_are_made_as_emnist_s() -> None:
    images, _ = draw_letters(2600, 3)
    assert (images.max((1, 2)) == 255).all()
    rows, columns = (images > 50).any(2), (images > 50).any(1)
    for inked in (rows, columns):
        middle = (inked.argmax(1) + 28 - inked[:, ::-1].argmax(1)) / 2
        np.testing.assert_allclose(middle, 14, atol=1)
    longer = np.maximum(rows.sum(1), columns.sum(1))
    assert longer.min() >= 17
    assert longer.max() <= 27
    assert images[:, [0, -1]].mean() < 8


def test_letters_lean_to_the_right() -> None:
    images, labels = draw_letters(2600, 5)
    bars = images[labels == ord("I") - ord("A")].astype(float)
    place = np.arange(28) - 13.5
    slope = (bars * place[:, None] * place).sum((1, 2)) / (bars * place[:, None] ** 2).sum((1, 2))
    assert -0.3 < np.median(slope) < -0.05


def test_class_is_learnt_from_other_letters() -> None:
    images, labels = draw_letters(5200, 1)
    others, truth = draw_letters(1300, 2)
    means = np.stack([images[labels == c].mean(0).ravel() for c in range(26)])
    found = ((means**2).sum(1) - 2 * others.reshape(-1, 784).astype(float) @ means.T).argmin(1)
    right = np.array([np.mean(found[truth == c] == c) for c in range(26)])
    assert right.mean() > 0.45
    assert right.min() > 0.15


def test_straight_stroke_has_the_ink_of_its_width() -> None:
    width, blur = 4.0, 0.6
    pieces = np.array([[[[14, 4], [14, 24]], [[14, 24], [14, 4]]]], float)
    image = render(pieces, np.array([width]), np.array([blur]))[0] / 255
    np.testing.assert_allclose(image[14].sum(), width, rtol=0.01)
    np.testing.assert_allclose(image, image[:, ::-1])
    assert image[0].max() < 0.02
    slanted = np.array([[[[8, 8], [20, 20]]] * 2], float)
    both = [render(way, np.array([width]), np.array([blur]))[0] for way in (slanted, slanted[:, :, ::-1])]
    np.testing.assert_array_equal(*both)


@pytest.mark.parametrize("letter", STROKES)
def test_pen_goes_through_the_points_of_a_skeleton(letter: str) -> None:
    ways, share = skeletons(letter)
    assert share.sum() == pytest.approx(1)
    for skeleton in ways:
        pieces = np.einsum("sek,kx->sex", skeleton.weights, skeleton.points)
        assert pieces.shape == (SEGMENTS, 2, 2)
        np.testing.assert_allclose(skeleton.weights.sum(2), 1)
        ends = pieces.reshape(-1, 2)
        for point in skeleton.points:
            assert np.linalg.norm(ends - point, axis=1).min() < 0.08
        lifted = ~np.isclose(pieces[1:, 0], pieces[:-1, 1]).all(1)
        assert lifted.sum() <= skeleton.stroke[-1]


@dataclass
class Server:
    """What a web server does, and what it was asked for."""

    content: bytes
    ranges: bool = True
    cut_after: int | None = None  # bytes of an answer, after which the connection breaks
    status: int = 200
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


def archive(**changed: str) -> bytes:
    """NIST's archive in small: letters among other splits."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as container:
        for (part, kind), name in NAMES.items():
            images, labels = official(26, 26)
            values = idx(images if kind == "images" else labels)
            container.writestr(f"gzip/{changed.get(f'{part}_{kind}', name)}", gzip.compress(values, mtime=0))
            container.writestr(f"gzip/{name.replace('letters', 'digits')}", b"digits")
    return packed.getvalue()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    behaviour = Server(archive())
    monkeypatch.setenv("no_proxy", "*")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            behaviour.asked.append(asked)
            start = int(re.match(r"bytes=(\d+)-", asked)[1]) if asked and behaviour.ranges else 0
            if behaviour.status != 200 or start >= len(behaviour.content):
                self.send_error(416 if behaviour.status == 200 else behaviour.status)
                return
            body = behaviour.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            if start:
                end = len(behaviour.content)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
            self.end_headers()
            self.wfile.write(body[: behaviour.cut_after])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        behaviour.url = f"http://127.0.0.1:{web.server_port}/EMNIST/gzip.zip"
        threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True).start()
        yield behaviour
        web.shutdown()


def fetch(server: Server, folder: Path, of: bytes | None = None) -> dict:
    return fetch_emnist(folder, server.url, hashlib.sha256(of or server.content).hexdigest())


def assert_fetched(files: dict, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == set(NAMES.values())
    assert {path.name for path in files.values()} == set(NAMES.values())
    np.testing.assert_array_equal(letters_in(folder).labels_test, draw_letters(26, 26)[1])


def test_archive_is_fetched_once_and_only_letters_stay(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "emnist"
    assert_fetched(fetch(server, folder), folder)
    assert_fetched(fetch(server, folder), folder)
    assert server.asked == [None]
    (tmp_path / "a" / "emnist" / NAMES["test", "labels"]).unlink()
    assert_fetched(fetch(server, folder), folder)


def test_broken_download_is_continued_by_the_next_call(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "CHUNK", 100)
    server.cut_after = len(server.content) // 2
    with pytest.raises(ReadError, match=r"cannot be fetched: .*repeat the command to continue"):
        fetch(server, tmp_path)
    (partial,) = tmp_path.iterdir()
    kept = partial.stat().st_size
    assert server.cut_after - 100 <= kept <= server.cut_after
    server.cut_after = None
    assert_fetched(fetch(server, tmp_path), tmp_path)
    assert server.asked == [None, f"bytes={kept - 1}-"]


def test_whole_download_that_was_not_unpacked_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "download.partial").write_bytes(server.content)
    assert_fetched(fetch(server, tmp_path), tmp_path)
    assert server.asked == [f"bytes={len(server.content) - 1}-"]


def test_server_without_ranges_starts_again(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "download.partial").write_bytes(server.content[:1000])
    with pytest.raises(ReadError, match="does not match the known hash"):
        fetch(server, tmp_path)
    assert_fetched(fetch(server, tmp_path), tmp_path)
    assert server.asked == ["bytes=999-", None]


def test_corrupted_archive_is_deleted(server: Server, tmp_path: Path) -> None:
    sound = server.content
    server.content = sound[:500] + b"\0" + sound[501:]
    with pytest.raises(ReadError, match=r"expected sha256:[0-9a-f]{64} but got [0-9a-f]{64}\. Deleted download"):
        fetch(server, tmp_path, of=sound)
    assert not list(tmp_path.iterdir())
    server.content = sound
    assert_fetched(fetch(server, tmp_path), tmp_path)


def test_endless_download_is_refused(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MOST_BYTES", 500)
    with pytest.raises(ReadError, match="more than 500 bytes"):
        fetch(server, tmp_path)


def test_archive_without_letters_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = archive(test_labels="other.gz")
    with pytest.raises(ReadError, match=r"the archive holds no emnist-letters-test-labels-idx1-ubyte\.gz"):
        fetch(server, tmp_path)
    server.content = b"<html>moved</html>"
    with pytest.raises(ReadError, match="not a zip file"):
        fetch(server, tmp_path)
    assert not list(tmp_path.glob("*ubyte*"))


def test_missing_page_and_silent_server_are_named_with_what_to_do(server: Server, tmp_path: Path) -> None:
    server.status = 404
    by_hand = rf"put its files emnist-letters-train-images.* into {tmp_path}"
    with pytest.raises(ReadError, match=rf"gzip\.zip: cannot be fetched: 404 .*{by_hand}"):
        fetch(server, tmp_path)
    with pytest.raises(ReadError, match=r"cannot be fetched: .*refused"):
        fetch_emnist(tmp_path, "http://127.0.0.1:1/gzip.zip", "")
    with pytest.raises(ReadError, match="cannot be fetched: Invalid URL"):
        fetch_emnist(tmp_path, "gzip.zip", "")
    assert not list(tmp_path.glob("*ubyte*"))
