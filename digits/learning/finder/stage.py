"""`train_all.py --finder`: shapes, crops, training, score, figures and the export, each kept as it is done."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from digits.files import write_whole
from digits.learning.data.mnist import load_mnist
from digits.learning.finder.crops import bank_file
from digits.learning.finder.decoding import fit_decoding
from digits.learning.finder.exporting import export_finder, renew_card
from digits.learning.finder.score import Tally, best_dial, fit_score, judge, smeared
from digits.learning.finder.train import FinderRun, train_finder
from digits.learning.shared.progress import Report
from digits.learning.shared.provenance import circumstances
from digits.learning.shared.workers import available_cores
from digits.reading.finding.score import FEATURES, scores
from digits.reading.models.finder import load_finder
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.rendering import RENDERING_VERSION
from digits.rendering.frames import FRAMES_VERSION
from digits.rendering.frames.canvas import Frame
from digits.rendering.frames.scenes import render
from digits.rendering.frames.shapes import FULL, Bank, Inks
from digits.rendering.frames.writers import Shapes

_SIZE = 640, 480  # of the frames that the score is fitted and the finder is judged on
_SMALL = 0.4  # share of them that are small pictures, as scanned digits are, with sides of 64 to 320 pixels
_HELD_BACK = 5000  # MNIST's last training pictures write the validation frames, and no crop
_FIT, _CHECK, _DECODE = 1000, 1001, 1002  # seeds of the frames for the score, for the figures and for decoding
_VALIDATION = {name: count // 5 for name, count in FULL.items()}
_GOLDEN = 3
_MOVING = 0.1  # share of the frames for the score that are smeared


@dataclass(frozen=True)
class FinderConfig:
    """A length of training, and how many rendered frames score and figures are taken from."""

    run: FinderRun
    frames: int = 600
    shapes: float = 1.0  # share of a full bank

    @classmethod
    def quick(cls, seed: int) -> "FinderConfig":
        """Return minutes of training: a finder that shows the way, not one to use."""
        return cls(FinderRun(epochs=4, steps=40, batch=16, seed=seed), frames=40, shapes=0.05)

    @classmethod
    def release(cls, seed: int) -> "FinderConfig":
        """Return what the project ships: at most six hours on two cores."""
        return cls(FinderRun(epochs=80, steps=250, batch=32, seed=seed), frames=1500)

    @classmethod
    def plain(cls, seed: int) -> "FinderConfig":
        """Return an hour's training on two cores."""
        return cls(FinderRun(epochs=24, steps=150, batch=32, seed=seed))


def make_finder(config: FinderConfig, folder: Path, export: Path, command: str, report: Report) -> Path:
    """Train, fit the score, measure and export; what an earlier call did is taken up.

    Args:
        folder: for the state, the history and the figures.
        export: folder of the files that the scripts use; replaced as a whole.
    Returns:
        the file with the figures.
    """
    began = time.perf_counter()
    mnist = load_mnist(report=report)
    images, labels = mnist.train_images, mnist.train_labels
    counts = {name: max(10, round(config.shapes * count)) for name, count in FULL.items()}
    workers = config.run.workers or available_cores()
    report("Shapes of digits, letters and drawings")
    bank = bank_file(Inks(images[:-_HELD_BACK], labels[:-_HELD_BACK]), 0, folder / "cache", workers, counts)
    model = train_finder(config.run, bank, folder, report)
    facts = {"rendering": [RENDERING_VERSION, FRAMES_VERSION], "trained": asdict(config.run)} | circumstances(command)
    shapes = _validation_shapes(images, labels, config.shapes)
    export_finder(model, export, facts, [frame.grey for frame in _frames(shapes, _GOLDEN, _CHECK + 1)])
    figures = fit(export, shapes, config.frames, report) | circumstances(command) | {
        "trained": asdict(config.run), "seconds": round(time.perf_counter() - began),
        "history": json.loads((folder / "history.json").read_text(encoding="utf-8"))}  # fmt: skip
    path = folder / "finder.json"
    write_whole(path, (json.dumps(figures, indent=1) + "\n").encode())
    report(f"{path}, {export}")
    return path


def refit(export: Path, report: Report, frames: int = FinderConfig.frames) -> dict:
    """Fit decoding and score of a finder's export again, for the default model; return the figures."""
    mnist = load_mnist(report=report)
    return fit(export, _validation_shapes(mnist.train_images, mnist.train_labels, 1.0), frames, report)


def fit(export: Path, shapes: Shapes, frames: int, report: Report) -> dict:
    """Fit decoding and score on rendered frames, write them into the card of the export; return the figures."""
    report("Decoding and score")
    reader = Reader(load_model(), finder=load_finder(export))
    decoding = fit_decoding(reader, _frames(shapes, frames // 2, _DECODE), report)
    weights = fit_score(*judge(reader, _frames(shapes, frames, _FIT, _MOVING))[:3])
    values, good, _, tally = judge(reader, _frames(shapes, frames, _CHECK))
    figures = _figures(values, good, tally, weights)
    renew_card(export, {"features": list(FEATURES), "score": weights, "decoding": decoding._asdict(),
                        "accept": figures["dial"]["best"]["score"],
                        "strict": figures["dial"]["98 % pass"]["score"]})  # fmt: skip
    report(f"Found {tally.found} of {tally.digits} digits, read {tally.right}")
    return figures


def _validation_shapes(images: np.ndarray, labels: np.ndarray, share: float) -> Shapes:
    counts = {name: max(10, round(share * count)) for name, count in _VALIDATION.items()}
    return Shapes(Bank.make(Inks(images[-_HELD_BACK:], labels[-_HELD_BACK:]), _FIT, counts))


def _frames(shapes: Shapes, count: int, seed: int, moving: float = 0.0) -> Iterator[Frame]:
    """Yield rendered frames, a share of them of things that move."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        small = tuple(4 * int(side) for side in rng.integers(16, 80, 2))
        frame = render(rng, _SIZE if rng.random() > _SMALL else small, shapes)
        yield smeared(frame, rng) if rng.random() < moving else frame


def _figures(values: np.ndarray, good: np.ndarray, tally: Tally, weights: list[float]) -> dict:
    """Return recall and false digits of rendered frames: where F1 is best, and where 98 % of digits pass."""
    score = scores(values, weights)
    dial = float(np.quantile(score[good], 0.02)) if good.any() else 1.0
    at = {name: {"score": round(least, 4), "right": int((good & (score >= least)).sum()),
                 "false": int((~good & (score >= least)).sum())}
          for name, least in (("best", best_dial(score, good, tally.digits)), ("98 % pass", dial))}  # fmt: skip
    return {"frames": asdict(tally), "dial": at}
