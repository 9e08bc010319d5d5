"""The letters as a pen writes them: the strokes of each way to write a letter, upper and lower case.

One line per way to write: its frequency among those of its letter, then its strokes between semicolons. A stroke is a
chain of points ``xy`` on a grid of 10 × 10, y down. After ``~`` it runs smoothly through its points (a Catmull–Rom
spline, which is linear in its points: `Skeleton.weights`), otherwise it is straight between them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

SEGMENTS = 28
"""Number of straight pieces that a letter is drawn with; strokes share them by their lengths."""
GRID = 9.0
"""Largest coordinate of the grid."""

STROKES = {
    "A": """
        3 09 40 79; 15 65
        2 ~09 23 40 61 73 79; 15 75
        4 ~71 41 13 17 39 58 72; ~71 75 78 98
        2 ~71 41 13 17 39 58 72; 71 79
        2 ~12 30 60 73 79; ~74 45 17 29 58 76
        1 ~11 40 72 79; ~74 35 18 49 77 79
        2 09 50 79; 16 76
        1 ~51 21 14 28 58 71; ~71 76 88 95""",
    "B": """
        4 10 19; ~10 50 72 54 14; ~14 64 87 59 19
        2 10 19; ~00 50 82 54 14; ~34 74 87 59 09
        4 20 29; ~25 54 75 77 59 29
        2 ~20 25 29 58 76 65 26""",
    "C": """
        3 ~82 50 22 15 27 59 87
        2 ~71 41 13 17 49 78
        2 ~82 62 50 22 15 27 59 78
        1 ~81 83; ~83 61 31 15 27 59 97
        2 ~72 50 21 14 17 39 69 87
        1 ~82 60 30 14 18 39 78 97""",
    "D": """
        3 10 19; ~10 50 83 86 59 19
        2 20 29; ~00 50 83 86 59 09
        4 70 79; ~74 43 16 28 49 77
        3 ~74 43 16 28 49 77; ~70 76 79 98
        1 ~75 43 16 28 49 77 60 20
        3 60 69; ~65 35 17 29 58 67""",
    "E": """
        2 80 10 19 89; 15 65
        1 20 29; 10 80; 25 65; 19 89
        8 15 84; ~84 61 31 15 27 59 88
        2 ~16 65 72 40 13 17 49 88
        2 ~81 50 21 24 55; ~55 25 17 49 88""",
    "F": """
        3 80 10 19; 15 65
        2 20 29; 10 90; 25 75
        3 ~81 60 42 49; 15 74
        2 ~80 60 41 46 38 19; 14 84
        1 ~81 60 42 46 49; ~42 45 25; 25 75""",
    "G": """
        3 ~82 50 22 15 27 59 78; 45 85 79
        2 ~81 40 13 16 39 69 85; 85 45
        2 ~82 50 22 15 28 58 75; 55 85; 85 89
        3 ~71 40 12 14 45 73; ~70 74 77 49 18
        2 ~71 40 12 14 45 73; ~70 75 79 59 37 75 94
        2 ~71 40 12 14 45 73; 70 79
        2 ~62 30 12 34 63 61; ~61 65 68 39 18
        1 ~62 30 12 34 62; 60 69""",
    "H": """
        3 10 19; 80 89; 15 85
        3 10 19; ~16 44 64 76 79
        3 10 19; ~16 44 64 76 78 99
        1 20 29; ~26 54 75 69; 10 20
        2 30 29; ~26 55 65 69""",
    "I": """
        7 50 59
        2 50 59; 20 80; 29 89
        1 54 59; 50 51""",
    "J": """
        3 ~60 65 57 39 18 16; 30 90
        3 ~70 75 67 49 28 16
        2 ~60 66 48 29 08; 40 90
        2 ~64 68 49 29; 61 62
        1 ~64 67 49 18; 64 44; 61 62""",
    "K": """
        3 10 19; 80 15; 34 89
        2 10 19; 80 15 89
        3 20 29; 73 26; 36 79
        1 20 29; ~26 44 63 46; 46 79""",
    "L": """
        5 50 59
        3 10 19 79
        2 ~20 15 29; 29 89
        1 ~36 54 50 40 35 38 59 78
        2 ~50 57 69 88
        1 10 19; ~19 48 89""",
    "M": """
        2 09 10 45 80 99
        2 09 00 46 90 99
        5 03 09; ~06 24 43 45 49; ~46 64 83 95 99
        2 ~02 14 19; ~17 34 44 49; ~47 64 74 78 99
        1 ~09 13 31 45; ~45 62 81 95 99""",
    "N": """
        3 19 10 89 80
        4 21 29; ~25 52 72 85 89
        1 ~29 23 50 82 89
        2 12 19; ~17 43 62 75 79 98
        1 ~09 23 35 69; ~69 74 92
        2 19 23 69 83
        2 09 20 69 80""",
    "O": """
        3 ~61 30 13 17 49 78 83 61 40
        2 ~40 13 17 49 78 83 50
        1 ~70 40 14 28 59 86 82 60 30
        1 ~61 32 25 38 59 77 73 51""",
    "P": """
        3 20 29; ~20 60 82 65 25
        2 20 29; ~10 60 82 65 25
        2 20 29; ~23 51 72 74 56 25
        2 30 29; ~30 70 73 35
        1 40 29; ~20 60 82 55 36""",
    "Q": """
        3 ~61 30 13 17 49 78 83 61 40; 56 99
        1 ~61 30 13 17 49 78 83 61 40; ~47 67 79 99
        3 ~71 40 12 14 45 73; 70 79
        2 ~71 40 12 14 45 73; 70 79 96
        2 ~71 40 12 14 45 73; ~70 76 79 69 57 86
        1 ~19 47 85 82 50 21 14 47 79 99
        1 ~61 30 13 17 49 78 83 61 40; 34 98
        2 ~62 30 12 34 63; ~60 66 69 79 95""",
    "R": """
        3 20 29; ~20 60 82 55 25; 45 89
        2 20 29; ~10 60 82 55 25; ~25 55 78 99
        4 13 19; ~16 44 63 84
        1 ~04 26 29; ~29 35 53 84
        1 ~13 16 39; ~39 54 83
        1 ~09 31 40 43; ~43 63 65 69 88
        2 13 19; ~15 33 83
        2 20 29; ~20 60 62 34; 34 79""",
    "S": """
        4 ~81 50 22 34 65 87 59 18
        3 ~72 41 23 45 67 49 18
        2 ~82 60 31 23 45 67 58 29 07
        1 ~81 50 22 34 65 87 59 18 16""",
    "T": """
        3 10 90; 50 59
        3 50 59; 23 83
        2 ~50 55 58 69 88; 23 83
        1 ~50 55 59; 24 84
        1 ~51 55 58 69 78; 03 73""",
    "U": """
        3 ~10 15 28 59 78 85 80
        3 ~12 15 29 58 75 72; 72 79
        3 ~02 05 19 58 75 72; ~72 76 79 98
        1 ~02 21 16 39 68 71; ~71 78 98""",
    "V": """
        4 10 49 80
        2 ~10 25 49; ~49 64 81 91
        1 ~10 26 49 58 73 80
        1 ~01 20 59; ~59 64 90""",
    "W": """
        3 00 29 43 69 90
        2 00 29 53 69 90
        4 ~03 06 29 48 54; ~54 58 79 96 92
        1 ~02 05 29 47 43; ~43 58 79 95 92
        2 03 29 54 79 93""",
    "X": """
        4 10 89; 80 19
        2 00 99; 80 19
        1 ~10 34 67 89; 80 19
        1 ~11 33 67 89; ~91 63 37 19""",
    "Y": """
        3 10 45 80; 45 49
        3 10 45; 80 29
        2 ~10 14 45 73; ~80 75 58 39 18
        2 ~10 14 45 73; ~80 75 78 59 47 85""",
    "Z": """
        4 10 80 19 89
        2 10 80 19 89; 25 75
        3 ~11 40 71 45 19; 19 89
        1 ~12 31 62 71; 71 29; ~29 48 79 88""",
}
"""After the shapes people print on the forms of NIST Special Database 19."""


@dataclass(frozen=True)
class Skeleton:
    """One way to write a letter.

    Attributes
    ----------
    points
        Points on the pen's way in a unit square, y down, shape (k, 2).
    weights
        Ends of the straight pieces from the points, ``weights @ points``, shape (`SEGMENTS`, 2, k).
    stroke
        Number of the stroke a point belongs to, shape (k,).
    """

    points: np.ndarray
    weights: np.ndarray
    stroke: np.ndarray


@cache
def skeletons(letter: str) -> tuple[list[Skeleton], np.ndarray]:
    """Return the ways to write a letter, and how often each is chosen (sums to one)."""
    frequency, ways = zip(*(line.split(maxsplit=1) for line in STROKES[letter].strip().splitlines()), strict=True)
    share = np.array(frequency, float)
    return [_skeleton(way) for way in ways], share / share.sum()


def _skeleton(way: str) -> Skeleton:
    strokes = [stroke.strip() for stroke in way.split(";")]
    chains = [
        np.array([[int(point[0]), int(point[1])] for point in stroke.lstrip("~").split()]) / GRID for stroke in strokes
    ]
    length = np.array([np.linalg.norm(np.diff(chain, axis=0), axis=1).sum() for chain in chains])
    pieces = _shares(length)
    weights = np.zeros((SEGMENTS, 2, sum(map(len, chains))))
    row = column = 0
    for stroke, chain, count in zip(strokes, chains, pieces, strict=True):
        way_along = _way(chain, count, smooth=stroke.startswith("~"))
        block = weights[row : row + count, :, column : column + len(chain)]
        block[:, 0], block[:, 1] = way_along[:-1], way_along[1:]
        row, column = row + count, column + len(chain)
    stroke_of = np.repeat(np.arange(len(chains)), [len(chain) for chain in chains])
    return Skeleton(np.concatenate(chains), weights, stroke_of)


def _shares(length: np.ndarray) -> np.ndarray:
    """Share the pieces among strokes by length, at least one each, `SEGMENTS` in all."""
    shares = np.maximum(np.floor(SEGMENTS * length / length.sum()), 1).astype(int)
    shares[np.argmax(length)] += SEGMENTS - shares.sum()
    return shares


def _way(chain: np.ndarray, pieces: int, *, smooth: bool) -> np.ndarray:
    """Return the weights of a stroke's points at ``pieces + 1`` places, evenly along it, shape (pieces + 1, k)."""
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(chain, axis=0), axis=1))])
    place = np.interp(np.linspace(0, along[-1], pieces + 1), along, np.arange(len(chain)))
    if not smooth:
        # A corner is a place of its own: the nearest one moves there.
        for corner in range(1, len(chain) - 1):
            place[np.argmin(np.abs(place - corner))] = corner
    first = np.minimum(place.astype(int), len(chain) - 2)
    t = (place - first)[:, None]
    eye = np.pad(np.eye(len(chain)), ((1, 1), (0, 0)))
    # The points before the first and behind the last continue straight on.
    eye[0], eye[-1] = 2 * eye[1] - eye[2], 2 * eye[-2] - eye[-3]
    before, left, right, behind = (eye[first + i] for i in range(4))
    if not smooth:
        return left + t * (right - left)
    return (
        2 * left
        + (right - before) * t
        + (2 * before - 5 * left + 4 * right - behind) * t**2
        + (3 * left - before - 3 * right + behind) * t**3
    ) / 2
