"""`.keras`, `.h5` and `.json` files, run by Keras on TensorFlow."""

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from digits.reading.models.contract import INPUT_SHAPE
from digits.reading.models.errors import ModelError
from digits.reading.models.keras_config import refuse_code, renewed
from digits.reading.models.model import Model, stem
from digits.reading.models.packed import refuse_elsewhere, refuse_expansion

# A network's description is a few hundred kB; anything far larger is damaged or hostile.
_MAX_CONFIG_BYTES = 20_000_000
_KERAS_ENTRIES = {"metadata.json", "config.json", "model.weights.h5"}


class KerasModel(Model):
    """A `.keras` archive, run by Keras on TensorFlow."""

    format, suffix, magic = "keras", ".keras", b"PK\x03\x04"
    runtime = "pip install tensorflow"

    def _open(self, threads: int) -> None:
        keras, tf = _keras(threads)
        refuse_code(self.path, self._config())
        model = self._build(keras)
        self._check_shapes([end.shape for end in model.inputs], [end.shape for end in model.outputs])
        # A traced function answers in a few ms where `model.predict` takes tens of them.
        signature = [tf.TensorSpec((1 if self._one_by_one else None, *INPUT_SHAPE), tf.float32)]
        self._function = tf.function(lambda inputs: model(inputs, training=False), input_signature=signature)
        self.keras_model = model

    def _config(self) -> object:
        """Return the description of the network, before any of it is built."""
        refuse_expansion(self.path)
        with zipfile.ZipFile(self.path) as archive:
            foreign = sorted(set(archive.namelist()) - _KERAS_ENTRIES)
            if foreign:
                raise ModelError(f"{self.path} holds {foreign[0][:80]!r}, expected a network and its weights alone.")
            refuse_elsewhere(self.path, io.BytesIO(archive.read("model.weights.h5")))
            entry = archive.getinfo("config.json")
            if entry.file_size > _MAX_CONFIG_BYTES:
                raise ModelError(f"{self.path} describes itself in {entry.file_size} bytes: it is damaged.")
            return json.loads(archive.read(entry))

    def _build(self, keras):
        return keras.models.load_model(os.fspath(self.path), compile=False)

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        return self._function(inputs).numpy()


class H5Model(KerasModel):
    """A `.h5` file of Keras 2 or 3: description and weights in one HDF5 file."""

    format, suffix, magic = "h5", ".h5", b"\x89HDF\r\n\x1a\n"

    def _config(self) -> object:
        import h5py

        refuse_elsewhere(self.path, self.path)
        with h5py.File(self.path, "r") as file:
            if "model_config" not in file.attrs:
                raise ModelError(f"{self.path} holds weights without a network, expected a whole model; "
                                 "give the .json file beside it instead.")
            return json.loads(file.attrs["model_config"])

    def _build(self, keras):
        model = keras.models.model_from_json(json.dumps(renewed(self._config())))
        model.load_weights(os.fspath(self.parts(self.path)[-1]))
        return model


class JSONModel(H5Model):
    """A `.json` description with its `.weights.h5` beside it."""

    format, suffix, magic = "json", ".json", b""

    @classmethod
    def parts(cls, path: Path) -> list[Path]:
        """Return the description and the weights."""
        return [path, path.with_name(stem(path) + ".weights.h5")]

    def _config(self) -> object:
        refuse_elsewhere(self.path, self.parts(self.path)[-1])
        return json.loads(self.path.read_text(encoding="utf-8"))


def _keras(threads: int):
    """Return (keras, tensorflow), quiet and on `threads` threads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import tensorflow

    try:
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError:
        pass  # TensorFlow is already at work in this process, as in training
    import keras

    return keras, tensorflow
