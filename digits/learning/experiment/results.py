"""What released networks said of the pictures that they were judged on, kept for notebooks to compare.

    models/results/pictures.npz           the pictures, in the order of all probabilities
        judged_on                           names the val pictures, clean and after the camera, as the leaderboard does
        val_labels, test_labels             uint8 (N,)
        val_numbers, test_numbers           int32 (N,): which picture of MNIST's training or test set; -1: none of them
    models/results/<name>/metrics.json    rows of the leaderboard, scores by domain, settings, command, commit, versions
    models/results/<name>/history.csv     one row an epoch, stage after stage
    models/results/<name>/probabilities.npz
        val, val_camera, test               float16 (N, 10); no val, no val_camera where the network has learnt them

`val_camera` are the val pictures after camera changes (`experiment.data.camera_view`). Float16 keeps three digits:
no accuracy changes by more than a picture.
"""

import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.files import write_whole
from digits.learning.data.merged_folder import Tiles
from digits.learning.data.splits import Source
from digits.learning.experiment.data import Data
from digits.learning.experiment.leaderboard import Row
from digits.learning.networks.registry import NETWORKS
from digits.learning.shared.errors import RunError
from digits.learning.shared.tables import read_csv
from digits.paths import MODELS_DIR

RESULTS = "results"
RESULTS_DIR = MODELS_DIR / RESULTS
DOMAINS = "val", "val_camera", "test"
_PICTURES, _PROBABILITIES, _METRICS, _HISTORY = "pictures.npz", "probabilities.npz", "metrics.json", "history.csv"


@dataclass(frozen=True)
class Result:
    """One released network.

    Attributes:
        metrics: what metrics.json says.
        history: one dict an epoch.
        probabilities: float32 (N, 10) by domain, in the order of the pictures.
    """

    name: str
    metrics: dict
    history: list[dict]
    probabilities: dict[str, np.ndarray]

    @property
    def row(self) -> Row:
        """The leaderboard's row of the stage that ships: the last one of which validation tells the worth."""
        return [row for row in map(Row.of, self.metrics["rows"]) if row.choice is not None][-1]


@dataclass(frozen=True)
class Results:
    """All released networks that were judged on the same pictures.

    Attributes:
        labels: uint8 (N,) by domain.
        numbers: int32 (N,) by domain: which picture of MNIST's training set (val) or test set; -1 for own pictures.
        networks: by name.
    """

    labels: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]
    networks: dict[str, Result]


def keep_pictures(place: Path, data: Data) -> None:
    """Note below `place` what the networks of a run are judged on; results on other pictures are removed."""
    path = place / _PICTURES
    if path.exists() and _judged_on(path) == data.judged_on:
        return
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    columns = {f"{domain}_{name}": column for domain, tiles in (("val", data.val), ("test", data.test))
               for name, column in _columns(tiles).items()}  # fmt: skip
    write_whole(path, _npz(judged_on=data.judged_on, **columns))


def keep_result(folder: Path, probabilities: dict[str, np.ndarray], metrics: dict, history: bytes = b"") -> None:
    """Write the results of one network into its folder, metrics.json last: its presence says that all is there.

    Args:
        probabilities: float (N, 10) by domain; other domains than DOMAINS are left out.
        metrics: what metrics.json is to say; folders among the settings are left out, they are of one machine.
        history: the text of history.csv.
    """
    settings = {name: value for name, value in metrics.get("config", {}).items() if not name.endswith("_dir")}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _METRICS).unlink(missing_ok=True)
    kept = {domain: probabilities[domain].astype(np.float16) for domain in DOMAINS if domain in probabilities}
    write_whole(folder / _PROBABILITIES, _npz(**kept))
    write_whole(folder / _HISTORY, history)
    text = json.dumps(metrics | {"config": settings}, indent=1)
    write_whole(folder / _METRICS, f"{text}\n".encode())


def keep_results(models: dict[str, Path], data: Data, place: Path) -> None:
    """Keep the results of a release run, from the folders that `model_folder.write_folder` wrote, by name."""
    keep_pictures(place, data)
    for name, folder in models.items():
        with np.load(folder / _PROBABILITIES) as file:
            metrics = json.loads((folder / _METRICS).read_text(encoding="utf-8"))
            keep_result(place / name, dict(file), metrics, (folder / _HISTORY).read_bytes())


def load_results(place: Path = RESULTS_DIR) -> Results:
    """Return the results that are kept below `place`.

    Raises:
        RunError: if there are none.
    """
    try:
        with np.load(place / _PICTURES) as file:
            pictures = dict(file)
    except (OSError, ValueError) as error:
        raise RunError(f"{place / _PICTURES} cannot be read ({error}); run python train_all.py --release") from error
    labels, numbers = ({domain: pictures[f"{domain.removesuffix('_camera')}_{column}"] for domain in DOMAINS}
                       for column in ("labels", "numbers"))  # fmt: skip
    found = {path.parent.name: _load(path.parent) for path in place.glob(f"*/{_METRICS}")}
    order = [name for name in NETWORKS if name in found]
    return Results(labels, numbers, {name: found[name] for name in order})


def _load(folder: Path) -> Result:
    with np.load(folder / _PROBABILITIES) as file:
        probabilities = {domain: file[domain].astype(np.float32) for domain in file.files}
    history = read_csv(folder / _HISTORY)
    metrics = json.loads((folder / _METRICS).read_text(encoding="utf-8"))
    return Result(folder.name, metrics, history, probabilities)


def _columns(tiles: Tiles) -> dict[str, np.ndarray]:
    """Return labels and numbers of tiles: of MNIST's, the number ends the name of the file."""
    pairs = zip(tiles.sources, tiles.paths, strict=True)
    numbers = [int(Path(path).stem.rsplit("_", 1)[-1]) if source == Source.MNIST else -1 for source, path in pairs]
    return {"labels": tiles.labels, "numbers": np.array(numbers, np.int32)}


def _judged_on(path: Path) -> str:
    with np.load(path) as file:
        return str(file["judged_on"])


def _npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
