"""Does old Keras read an export? Run in the environment to be tested; it needs numpy and that Keras, nothing of ours.

    python3.11 -m venv old && old/bin/pip install tensorflow==2.12.1
    old/bin/python tests/check_old_keras.py exports/mobilenet_v2

Loads model.h5, and model.json with model.weights.h5, and compares their answers on the golden tiles with those of the
Keras model that was exported: at most 1e-4 apart, and the same winner on all. Exit 1 where they are not. In the tests
it runs with `--package tf_keras`, Keras 2 beside a new TensorFlow.
"""

import argparse
import importlib
import os
import sys

import numpy as np

FLOAT_DIFFERENCE = 1e-4


def main() -> int:
    """Check the folders named on the command line; 1 if one is not read alike."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="+", help="an export folder, such as exports/mobilenet_v2")
    parser.add_argument("--package", default="tensorflow.keras", choices=["tensorflow.keras", "tf_keras", "keras"])
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.package == "tensorflow.keras":
        import tensorflow

        keras = tensorflow.keras
    else:
        keras = importlib.import_module(options.package)
    print(f"{options.package} {keras.__version__}")
    return 0 if all([check(keras, folder) for folder in options.folder]) else 1


def check(keras, folder: str) -> bool:
    """Print and return whether both old formats of a folder answer as they should."""
    with np.load(os.path.join(folder, "golden.npz")) as golden:
        inputs = np.repeat(golden["tiles"][..., np.newaxis].astype(np.float32) / 255, 3, axis=-1)
        expected = golden["probabilities"]
    old = keras.models.load_model(os.path.join(folder, "model.h5"), compile=False)
    with open(os.path.join(folder, "model.json"), encoding="utf-8") as file:
        described = keras.models.model_from_json(file.read())
    described.load_weights(os.path.join(folder, "model.weights.h5"))
    well = True
    for name, model in (("model.h5", old), ("model.json + model.weights.h5", described)):
        found = model.predict(inputs, verbose=0)
        difference = float(np.abs(found - expected).max())
        others = int((found.argmax(axis=1) != expected.argmax(axis=1)).sum())
        good = difference <= FLOAT_DIFFERENCE and not others
        print(f"{folder} {name}: {'ok' if good else 'FAILED'}, difference {difference:.1e}, other winners {others}")
        well = well and good
    return well


if __name__ == "__main__":
    sys.exit(main())
