"""Checkpoints of a training: complete or absent, and never mistaken for those of another training.

The folder holds ``state.json``, which names the two latest ``.safetensors`` files and their hashes; the older file is
used when the newest one is damaged.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from relaxor.core.errors import AnalysisError
from relaxor.core.files import write_whole

KEPT = 2
"""Number of checkpoints that are kept: the newest, and the one before it."""
STATE = "state.json"
VERSION = 1
Tree = TypeVar("Tree")


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training.

    Attributes
    ----------
    folder
        Folder of the checkpoints.
    identity
        What the training depends on; a folder of another training is refused.
    """

    folder: Path
    identity: Mapping[str, Any]

    def latest(self, like: Tree) -> tuple[Tree, list[dict[str, float]]] | None:
        """Load the newest checkpoint that is complete; None if there was never one.

        Parameters
        ----------
        like
            A state of the same shapes.
        """
        listed = self._listed()
        for entry in listed:
            path = self.folder / entry["file"]
            try:
                content = path.read_bytes()
                if hashlib.sha256(content).hexdigest() == entry["sha256"]:
                    return from_tensors(like, load(content)), entry["history"]
            except (OSError, SafetensorError):
                continue
        if listed:
            files = ", ".join(entry["file"] for entry in listed)
            raise AnalysisError(f"{self.folder}: no checkpoint is complete ({files}); remove the folder to restart")
        return None

    def add(self, networks: Any, history: list[dict[str, float]]) -> None:
        """Write a checkpoint; the one before it is kept, older ones are deleted."""
        content = save(to_tensors(networks))
        entry: dict[str, Any] = {
            "epoch": history[-1]["epoch"],
            "file": f"epoch_{history[-1]['epoch']:04d}.safetensors",
            "sha256": hashlib.sha256(content).hexdigest(),
            "history": history,
        }
        write_whole(self.folder / entry["file"], content)
        listed = [entry, *(old for old in self._listed() if old["epoch"] < entry["epoch"])][:KEPT]
        state = {"version": VERSION, "training": self.identity, "checkpoints": listed}
        write_whole(self.folder / STATE, json.dumps(state, indent=1) + "\n")
        for path in self.folder.glob("epoch_*.safetensors"):
            if path.name not in {each["file"] for each in listed}:
                path.unlink()

    def kept(self) -> str:
        """Return the newest checkpoint and its epoch, as text."""
        listed = self._listed()
        return f"{self.folder / listed[0]['file']} (epoch {listed[0]['epoch']})" if listed else "none yet"

    def _listed(self) -> list[dict[str, Any]]:
        path = self.folder / STATE
        if not path.exists():
            return []
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            training, listed = content["training"], content["checkpoints"]
        except (ValueError, KeyError, TypeError) as error:
            raise AnalysisError(f"{path}: no list of checkpoints: {error}; remove the folder to restart") from None
        differs = [key for key, value in self.identity.items() if training.get(key) != value]
        if differs:
            raise AnalysisError(
                f"{path}: checkpoints of another training; "
                + "; ".join(f"{key} was {training.get(key)}, is {self.identity[key]}" for key in differs)
                + "; choose another folder, or remove this one to restart"
            )
        return listed


def to_tensors(tree: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a tree by the path to each."""
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def from_tensors(like: Tree, tensors: Mapping[str, np.ndarray]) -> Tree:
    """Return a tree as ``like`` with the arrays of `to_tensors`.

    Raises
    ------
    AnalysisError
        If an array is missing or of another shape.
    """

    def one(path: Any, leaf: jax.Array) -> jax.Array:
        name = jax.tree_util.keystr(path)
        if name not in tensors or tensors[name].shape != leaf.shape:
            found = tensors[name].shape if name in tensors else "nothing"
            raise AnalysisError(f"networks: {name} of shape {leaf.shape} needed, found {found}")
        return jnp.asarray(tensors[name], leaf.dtype)

    return jax.tree_util.tree_map_with_path(one, like)
