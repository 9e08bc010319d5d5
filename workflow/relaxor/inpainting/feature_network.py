"""A network that the user provides, such as Inception, in whose features the Fréchet distance is determined as well.

The network is an ONNX file with one input of shape (n, channels, side, side), n free, and one output (n, features).
Letters are enlarged to its side (bilinear) and repeated in its channels, from −1 (no ink) to 1 (ink), as the Inception
network of the original distance takes its images (Heusel et al., arXiv 1706.08500).
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from relaxor.core.errors import AnalysisError

BATCH = 64


class FeatureNetwork:
    """A network that was read.

    Parameters
    ----------
    path
        The ONNX file.

    Raises
    ------
    AnalysisError
        If onnxruntime is not installed, or the file is no network with such an input and output.
    """

    def __init__(self, path: Path | str):
        try:
            import onnxruntime
        except ImportError:
            raise AnalysisError(f"{path}: reading it needs the package onnxruntime, which is not installed") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # sums are split alike on any number of cores
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises errors of its own on bytes that are no network
            raise AnalysisError(f"{path}: not an ONNX network: {' '.join(str(error).split())[:200]}") from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = inputs[0].shape if len(inputs) == len(outputs) == 1 and inputs[0].type == "tensor(float)" else []
        match shape:
            case [None | str(), 1 | 3 as channels, int(side), int(other)] if side == other:
                self._name, self._channels, self._side = inputs[0].name, channels, side
            case _:
                found = ", ".join(f"{each.type} {each.shape}" for each in inputs) or "none"
                needed = "one input of float32 (n, 1 or 3, side, side), n free, and one output are needed"
                raise AnalysisError(f"{path}: {needed}; found the inputs {found} and {len(outputs)} outputs")

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the features of images, shape (n, 28, 28), 0 … 1; shape (n, features)."""
        return np.concatenate([self._run(images[at : at + BATCH]) for at in range(0, len(images), BATCH)])

    def _run(self, images: np.ndarray) -> np.ndarray:
        size = (len(images), self._side, self._side)
        large = 2 * np.asarray(jax.image.resize(jnp.asarray(images, jnp.float32), size, "bilinear")) - 1
        repeated = np.repeat(large[:, None], self._channels, axis=1)
        return np.asarray(self._session.run(None, {self._name: repeated})[0]).reshape(len(images), -1)
