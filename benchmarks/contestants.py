"""The contestants of benchmarks/peers.py: this project, the seed's way, and four peers, each used in its own usual way.

    python benchmarks/contestants.py NAME JOB.json RESULT.json    what peers.py starts, one process a contestant

Each contestant says which digits a picture holds, in the shape that real_inputs.py reads. It runs with whatever Python
has its package; of this project it needs `digits.reading` alone. Status 3: its package is not installed.
"""

import importlib.metadata
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from real_inputs import accuracy, by_writer, no_digits, one_each, pages

from digits.paths import EXPORTS_DIR
from digits.reading.images import load_image
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader

NOT_INSTALLED = 3
SIDE = 96
IS_LIGHT = 127  # a frame whose median is lighter shows dark ink on paper
DIGITS = "0123456789"


class One(NamedTuple):
    """One digit that was read."""

    digit: int


class Said(NamedTuple):
    """What a contestant reads in a picture: digits in its own order; `main` is the first of them, or None."""

    digits: list[One]
    main: int | None


class Contestant:
    """Reads digits in pictures, and notes what each picture took.

    Attributes:
        title: what a table calls it.
        package: what must be installed: a Python package, or None.
        way: how it is used, in words.
        page: whether the next pictures are whole pages, for those that want to be told.
    """

    title, package, way = "", None, ""
    page = False

    def __init__(self) -> None:
        self.times_ms: list[float] = []

    @classmethod
    def installed(cls) -> str | None:
        """Return the version of what it needs; None if that is not installed."""
        if cls.package is None or importlib.util.find_spec(cls.package) is None:
            return None
        return importlib.metadata.version(cls.package)

    def train(self, data: Path, seconds: float, folder: Path) -> None:
        """Learn for so many seconds from data/{train,val}/<digit>/*.png; what it learnt stays in `folder`."""
        raise NotImplementedError

    def open(self, folder: Path) -> int:
        """Make ready to read; return the bytes of its model files."""
        raise NotImplementedError

    def digits(self, frame: np.ndarray) -> list[int]:
        """Return the digits of a picture, uint8 (H, W, 3) BGR."""
        raise NotImplementedError

    def read(self, frame: np.ndarray) -> Said:
        """Return what it reads, and note the milliseconds."""
        began = time.perf_counter()
        found = self.digits(frame)
        self.times_ms.append(1000 * (time.perf_counter() - began))
        return Said([One(digit) for digit in found], 0 if found else None)


class Ours(Contestant):
    """This project: the released model."""

    title, way = "this project", "the default export, as the live script uses it"

    @classmethod
    def installed(cls) -> str:
        """Return the name of the default export."""
        return load_model().path.parent.name

    def open(self, folder: Path) -> int:
        """Open the default export and the finder."""
        self._reader = Reader(load_model())
        return self._reader.model.path.stat().st_size + (EXPORTS_DIR / "finder" / "finder.tflite").stat().st_size

    def digits(self, frame: np.ndarray) -> list[int]:
        """Return the digits; the most prominent one first where one is asked for."""
        reading = self._reader.read(frame)
        found = [digit.digit for digit in reading.digits]
        return found if self.page or reading.main is None else [found[reading.main]]


class WholeFrame(Contestant):
    """The seed's way: the whole frame, made small, straight into MobileNetV2."""

    title, way = "whole frame, MobileNetV2", f"the whole frame in grey, light ink on dark, resized to {SIDE}x{SIDE}"

    @classmethod
    def installed(cls) -> str:
        """Return the name of the export."""
        return "mobilenet_v2"

    def open(self, folder: Path) -> int:
        """Open the export of MobileNetV2."""
        self._model = load_model(EXPORTS_DIR / "mobilenet_v2")
        return self._model.path.stat().st_size

    def digits(self, frame: np.ndarray) -> list[int]:
        """Return the one digit that the network names."""
        grey = cv2.cvtColor(light_ink(frame), cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return [int(self._model.predict(small[None]).argmax())]


class Ultralytics(Contestant):
    """Ultralytics' classifier."""

    title, package = "Ultralytics classify", "ultralytics"
    way = f"yolo11n-cls at {SIDE} px, its defaults without mirroring; the whole photograph, light ink on dark"

    def train(self, data: Path, seconds: float, folder: Path) -> None:
        """Train from random weights, as its documentation does; `time` is its own option, in hours."""
        from ultralytics import YOLO

        YOLO("yolo11n-cls.yaml").train(data=str(data), imgsz=SIDE, time=seconds / 3600, fliplr=0.0, pretrained=False,
                                       plots=False, workers=2, project=str(folder), name="run", exist_ok=True)

    def open(self, folder: Path) -> int:
        """Open the weights that validated best."""
        from ultralytics import YOLO

        path = folder / "run" / "weights" / "best.pt"
        self._model = YOLO(str(path))
        return path.stat().st_size

    def digits(self, frame: np.ndarray) -> list[int]:
        """Return the one digit that it names."""
        found = self._model.predict(light_ink(frame), imgsz=SIDE, verbose=False)[0]
        return [int(found.names[found.probs.top1])]


class Fastai(Contestant):
    """fastai's vision learner."""

    title, package = "fastai", "fastai"
    way = f"resnet18 at {SIDE} px, its augmentation without mirroring; the whole photograph, light ink on dark"

    def train(self, data: Path, seconds: float, folder: Path) -> None:
        """Train from random weights; its one-cycle schedule is laid over the seconds instead of over epochs."""
        from fastai.vision.all import (
            Callback,
            CancelFitException,
            ImageDataLoaders,
            Resize,
            aug_transforms,
            combined_cos,
            resnet18,
            vision_learner,
        )

        class ByTheClock(Callback):
            """The schedule of fit_one_cycle by the time that is spent; ends the training with the time."""

            def before_fit(self):
                self.began, self.rate = time.monotonic(), combined_cos(0.25, 1e-3 / 25, 1e-3, 1e-8)

            def before_batch(self):
                share = (time.monotonic() - self.began) / seconds
                if self.training and share >= 1:
                    raise CancelFitException
                self.opt.set_hyper("lr", self.rate(min(share, 1)))

        loaders = ImageDataLoaders.from_folder(data, train="train", valid="val", item_tfms=Resize(SIDE),
                                               batch_tfms=aug_transforms(do_flip=False), num_workers=0)
        learner = vision_learner(loaders, resnet18, pretrained=False, cbs=ByTheClock())
        with learner.no_bar(), learner.no_logging():
            learner.fit(10_000)
        learner.remove_cb(ByTheClock)
        learner.export(folder / "learner.pkl")

    def open(self, folder: Path) -> int:
        """Open the exported learner."""
        from fastai.vision.all import PILImage, load_learner

        path = (folder / "learner.pkl").resolve()
        self._learner, self._picture = load_learner(path), PILImage.create
        return path.stat().st_size

    def digits(self, frame: np.ndarray) -> list[int]:
        """Return the one digit that it names."""
        picture = self._picture(light_ink(frame)[..., ::-1].copy())
        with self._learner.no_bar(), self._learner.no_logging():
            return [int(self._learner.predict(picture)[0])]


class RapidOCR(Contestant):
    """RapidOCR with the models that its package brings."""

    title, package, way = "RapidOCR", "rapidocr", "its defaults; the digits of all text that it reads"

    def open(self, folder: Path) -> int:
        """Open the engine."""
        import rapidocr

        self._engine = rapidocr.RapidOCR()
        return sum(path.stat().st_size for path in Path(rapidocr.__file__).parent.rglob("*.onnx"))

    def digits(self, frame: np.ndarray) -> list[int]:
        """Return the digits in its text."""
        return digits_of("".join(self._engine(frame).txts or ()))


class Tesseract(Contestant):
    """Tesseract, the program, started for each picture, as its Python wrappers do."""

    title = "Tesseract"
    way = "digits alone (tessedit_char_whitelist); --psm 10 for one character, --psm 6 for a page"

    @classmethod
    def installed(cls) -> str | None:
        """Return the version of the program, if it is there."""
        if not shutil.which("tesseract"):
            return None
        done = subprocess.run(["tesseract", "--version"], capture_output=True, text=True)
        return (done.stdout + done.stderr).split()[1]

    def open(self, folder: Path) -> int:
        """Return the size of its English model."""
        told = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True)
        place = re.search(r'"(.+)"', told.stdout + told.stderr)
        model = Path(place[1]) / "eng.traineddata" if place else Path()
        return model.stat().st_size if model.is_file() else 0

    def digits(self, frame: np.ndarray) -> list[int]:
        """Return the digits in its text."""
        command = ["tesseract", "stdin", "stdout", "--psm", "6" if self.page else "10"]
        command += ["-c", f"tessedit_char_whitelist={DIGITS}"]
        done = subprocess.run(command, input=cv2.imencode(".png", frame)[1].tobytes(), capture_output=True)
        return digits_of(done.stdout.decode("utf-8", "replace"))


CONTESTANTS = {"ours": Ours, "whole_frame": WholeFrame, "ultralytics": Ultralytics, "fastai": Fastai,
               "rapidocr": RapidOCR, "tesseract": Tesseract}  # fmt: skip
TRAINED = ("ultralytics", "fastai")
READ_TILES = (*TRAINED, "whole_frame")
OWN_PYTHON = ("ours", "whole_frame", "tesseract")  # they run where this project is installed


def light_ink(frame: np.ndarray) -> np.ndarray:
    """Return a frame inverted where it is light: tiles, which the networks learnt from, show light ink on dark."""
    return 255 - frame if np.median(frame) > IS_LIGHT else frame


def digits_of(text: str) -> list[int]:
    """Return the digits in a text; other scripts' digits do not count."""
    return [int(character) for character in text if character in DIGITS]


def measure(contestant: Contestant, pictures: dict[str, str]) -> dict:
    """Return what a contestant reads of each kind of pictures, and its median milliseconds.

    Args:
        pictures: folders by kind, as peers.py lays them out: photos, pages, nodigits, letters; `examples` are files.
    """
    found = {"photos": by_writer(one_each(contestant, Path(pictures["photos"])))}
    found["ms_photo"], contestant.times_ms = round(float(np.median(contestant.times_ms)), 2), []
    letters = no_digits(contestant, Path(pictures["letters"]))
    found["letters"] = {"pictures": letters["pictures"], "read": len(letters["read"])}
    contestant.page, contestant.times_ms = True, []
    read = pages(contestant, Path(pictures["pages"]))
    found["pages"] = {"pictures": len(read["pages"]), **read["f1"]}
    found["ms_page"] = round(float(np.median(contestant.times_ms)), 2)
    if "nodigits" in pictures:
        none = no_digits(contestant, Path(pictures["nodigits"]))
        found["nodigits"] = {"pictures": none["pictures"], "read": len(none["read"])}
    examples = {}
    for kind, file in pictures["examples"].items():
        contestant.page = kind != "letter"
        examples[kind] = "".join(str(one.digit) for one in contestant.read(load_image(file)).digits)
    return found | {"examples": examples}


def main(name: str, job_file: str, result_file: str) -> int:
    """Train if need be, measure, write what was found; 0 done, 3 not installed."""
    kind, job = CONTESTANTS[name], json.loads(Path(job_file).read_text(encoding="utf-8"))
    version = kind.installed()
    if version is None:
        return NOT_INSTALLED
    contestant, folder, facts = kind(), Path(job["work"]) / name, {"version": version}
    if name in TRAINED:
        facts |= trained(contestant, folder, version, job)
    size = contestant.open(folder)
    result = {"title": kind.title, "way": kind.way, "size_mb": round(size / 1e6, 2), **facts}
    result |= measure(contestant, job["pictures"])
    if name in READ_TILES:
        result["tiles"] = accuracy(one_each(contestant, Path(job["test_tiles"])))
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")
    return 0


def trained(contestant: Contestant, folder: Path, version: str, job: dict) -> dict:
    """Return what the training took, now or in an earlier call with the same data, time and version."""
    key, kept = [version, job["data_key"], job["seconds"]], folder / "trained.json"
    if kept.is_file() and (facts := json.loads(kept.read_text(encoding="utf-8"))).pop("key") == key:
        return facts
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    contestant.train(Path(job["data"]), job["seconds"], folder)
    facts = {"train_seconds": round(time.monotonic() - began, 1)}
    kept.write_text(json.dumps({"key": key, **facts}), encoding="utf-8")
    return facts


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
