"""Every number in README.md, README.es.md and docs/, filled in from the files that results are kept in.

    python benchmarks/readme_numbers.py             fill in all; fails, changing nothing, where a result is missing
    python benchmarks/readme_numbers.py --pending   fill in what there is, and write "(pending)" for the rest
    python benchmarks/readme_numbers.py --check     change nothing; 1 if a page says anything else than the results do
    python benchmarks/readme_numbers.py --run FILE  first take over what a run of train_all.py took: its run.json

A number stands between `<!-- numbers:NAME -->` and `<!-- /numbers -->`; NAMES below says where each comes from.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import common
import scale_tables

from digits.files import write_whole
from digits.learning.experiment.leaderboard import Row, read_leaderboard
from digits.learning.shared.errors import RunError
from digits.paths import ROOT

PAGES = {"README.md": "en", "README.es.md": "es", "docs/scale.md": "en", "docs/live.md": "en",
         "docs/training.md": "en", "docs/formats.md": "en"}
MARK = re.compile(r"<!-- numbers:(\w+) -->(.*?)<!-- /numbers -->", re.DOTALL)
RESULTS = "benchmarks/results"
PENDING = {"en": "(pending)", "es": "(pendiente)"}
USUAL_NAME = "mobilenet_v2"  # of the export where exports/default.txt names none, as in digits.reading.models
STAGE_TIMES = {"pass": "Cached pass", "frozen_epoch": "Epoch of stage 1", "last_20_epoch": "Epoch of stage 2"}
FRAME_STEPS = {"find_ms": "finding the digits", "predict_ms": "the network", "draw_ms": "drawing the window",
               "whole_ms": "**the whole frame**"}  # fmt: skip
MOBILENET = "mobilenet_v2"
_ALL = 0.99  # of the largest training's pictures: rows with fewer were trials; own images come and go
SHOWS = {
    "cnn_small": "one convolution and pooling", "cnn_deep": "more layers", "cnn_batchnorm": "batch normalisation",
    "cnn_dropout": "dropout", "cnn_augmented": "intense augmentation, on top of all that",
    "mobilenet_v2": "pretrained on ImageNet, in stages", "cnn_compact": "our own, made to be used",
}  # fmt: skip
EARLIER = "\\* trained and judged on tiles of an earlier version; the next release trains it again."
# What results call a row, in English.
NAMED = {
    "light": "Uneven light", "blur": "Blur", "noise": "Noise", "perspective": "Perspective", "ruled": "Ruled paper",
    "small": "Small", "off_centre": "Off centre", "faint": "Faint pen", "tilted": "tilted by 15 to 55 degrees",
    "turned": "turned by 5 to 25 degrees", "both": "tilted and turned",
    "train": "all layers",
    "frozen": "stage 1: head, trunk frozen", "last_20": "stage 2: last 20 layers", "all_layers": "stage 3: all layers",
    "imagenet": "ImageNet", "shipped": "shipped trunk",
}  # fmt: skip
STRICT = "The same with `--min-confidence {:.2f}`, which 98 % of the digits in rendered frames pass"
STRICT_BY_NETWORK = "The same with `--min-confidence {:.2f}`, which 98 % of the calibration digits pass"
Say = Callable[[str], str]  # from English to the language of a page

# Rows of the table of formats: as benchmarks/formats.py names them, and what runs each.
RUNTIMES = {
    "model.tflite": "LiteRT", "model_int8.tflite": "LiteRT", "model.onnx": "onnxruntime",
    "model.onnx by cv2.dnn": "OpenCV", "model.keras": "Keras 3", "model.keras by model.predict": "`model.predict`",
    "model.h5": "Keras 2, Keras 3", "model.json": "Keras 2, Keras 3",
}  # fmt: skip


class MissingError(Exception):
    """A result that does not exist yet; one sentence with the command that makes it."""


@dataclass(frozen=True)
class Results:
    """The results files below one folder, read when they are asked for."""

    root: Path = ROOT

    def of(self, script: str, *parts: str, options: str = "") -> dict:
        """Return what benchmarks/<script>.py measured with these options, or a part of a part of that."""
        return self._read(f"{RESULTS}/{script}.json", f"python benchmarks/{script}.py{options}", *parts)

    def leaderboard(self) -> list[Row]:
        """Return the rows of models/leaderboard.csv."""
        rows = read_leaderboard(self.root / "models" / "leaderboard.csv")
        if not rows:
            raise MissingError("models/leaderboard.csv is missing; run python train_all.py --release")
        return rows

    def default(self) -> str:
        """Return the name of the released export: the last one named; before it stands what a user taught."""
        path = self.root / "exports" / "default.txt"
        return path.read_text(encoding="utf-8").split()[-1] if path.is_file() else USUAL_NAME

    def card(self, model: str | None = None) -> dict:
        """Return the card of an export, the default one if none is named."""
        return self._read(f"exports/{model or self.default()}/card.json", "python train_all.py --release")

    def test(self) -> dict:
        """Return what the default export makes of MNIST's test set."""
        return self.card()["metrics"]["test"]

    def camera(self, *parts: str, model: str | None = None) -> dict:
        """Return what benchmarks/camera.py measured of an export, the default one if none is named."""
        return self.of("camera", "models", model or self.default(), *parts, options=" with DIGITS_REAL_*")

    def formats(self) -> dict:
        """Return what benchmarks/formats.py measured of the default export."""
        found = self.of("formats")
        if found["export"] != self.default():
            raise MissingError(f"formats.json is about {found['export']}; run python benchmarks/formats.py")
        return found["formats"]

    def whole_run(self, options: str = "") -> dict:
        """Return what train_all.py took with these options."""
        run = f"python train_all.py{options}"
        return self._read(f"{RESULTS}/whole_run.json", f"{run}, then this with --run", run)

    def _read(self, name: str, command: str, *parts: str) -> dict:
        try:
            found = json.loads((self.root / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise MissingError(f"{name} is missing; run {command}") from None
        for part in parts:
            if part not in found:
                raise MissingError(f"{name} lacks {part}; run {command}")
            found = found[part]
        return found


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage, with a point in both languages, as the programs print it."""
    return f"{100 * share:.{digits}f} %"


def mean(values: list[float]) -> str:
    """Return the mean of shares as a percentage."""
    return percent(sum(values) / len(values))


def table(say: Say, head: list[str], rows: list[list[str]], words: tuple[int, ...] = (0,)) -> str:
    """Return a Markdown table with an English head to translate; columns `words` to the left, numbers to the right."""
    marks = ["---" if column in words else "---:" for column in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [list(map(say, head)), marks, *rows])


def leaderboard(results: Results, say: Say) -> str:
    """Return the leaderboard: one line a network and stage, means over seeds, with their range."""
    groups: dict[tuple, list[Row]] = {}
    for row in rivals(results):
        groups.setdefault((row.title, row.weights, row.augmentation), []).append(row)
    lines = []
    for same in groups.values():
        first = same[0]
        accuracies = [over_seeds(same, f"{key}_accuracy") or say("seen in training") for key in
                      ("val", "val_camera", "test")]  # fmt: skip
        seconds = sum(row.train_seconds for row in same) / len(same)
        stage = say("all layers, no rendered pictures" if first.no_camera else NAMED[first.stage])
        stage += say(", again with validation") if first.with_val else ""
        took = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
        start = say(NAMED.get(first.weights, first.weights))
        lines.append([f"`{first.model}`", stage, start, *accuracies, f"{first.params:,}", took])
    head = ["Network", "Trained", "Starts from", "Validation", "… after camera changes", "MNIST test", "Parameters",
            "Training"]  # fmt: skip
    return table(say, head, lines, words=(0, 1, 2))


def rivals(results: Results) -> list[Row]:
    """Return the rows of the leaderboard without trials on far fewer pictures."""
    rows = results.leaderboard()
    most = max(row.images for row in rows)
    return [row for row in rows if row.images > _ALL * most]


def networks(results: Results, say: Say) -> str:
    """Return the seven networks in one line each: what it shows, and means over seeds of its best stage."""
    groups: dict[tuple, list[Row]] = {}
    for row in rivals(results):
        if not row.no_camera and row.choice is not None:
            groups.setdefault((row.model, row.superseded, row.stage), []).append(row)
    lines = []
    for model, shows in SHOWS.items():
        current = {key: rows for key, rows in groups.items() if key[0] == model and not key[1]}
        known = current or {key: rows for key, rows in groups.items() if key[0] == model}
        if not known:
            raise MissingError(f"models/leaderboard.csv lacks {model}; run python train_all.py --release")
        best = max(known.values(), key=lambda rows: sum(row.choice for row in rows) / len(rows))
        means = [percent(sum(getattr(row, f"{key}_accuracy") for row in best) / len(best), 2)
                 for key in ("val", "val_camera", "test")]  # fmt: skip
        lines.append([f"`{model}`" + ("" if current else " *"), say(shows), *means, f"{best[0].params:,}"])
    note = "" if all("*" not in line[0] for line in lines) else f"\n\n{say(EARLIER)}"
    head = ["Network", "What it shows", "Validation", "… after camera changes", "MNIST test", "Parameters"]
    return table(say, head, lines, words=(0, 1)) + note


def summary(results: Results, say: Say) -> str:
    """Return the results in one small table: the released model, MobileNetV2 and the usual way."""
    models = (results.card()["name"], MOBILENET)
    photos, scans, pages, nothing, usual = ([results.camera(kind, model=model) for model in models] for kind in (
        "photos", "scans", "pages", "nodigits", "photos_usual_way"))  # fmt: skip
    cards, frame = [results.card(model) for model in models], results.of("latency")
    rows = [[say("10,000 digits of MNIST's test set"),
             *(percent(card["metrics"]["test"]["accuracy"], 2) for card in cards), ""],
            [say("{} photographs of handwriting by phone").format(photos[0]["images"]),
             *(percent(one["accuracy"]) for one in photos), ", ".join(map(percent, usual))],
            [say("{} scanned digits").format(scans[0]["images"]), *(percent(one["accuracy"]) for one in scans), ""],
            [say("{} pages by strangers (F1)").format(len(pages[0]["pages"])),
             *(f"{one['f1']['all']:.2f}" for one in pages), ""],
            [say("{} pictures without a digit: in how many one is read").format(nothing[0]["pictures"]),
             *(f"{len(one['read'])}" for one in nothing), ""],
            [say("Time of a frame, one digit"), f"{frame['1_digits']['whole_ms']:.0f} ms", "",
             f"{frame['usual_way_ms']:.0f} ms"],
            [say("Size of `model.tflite`"),
             *(f"{card['files']['model.tflite']['bytes'] / 1e6:.1f} MB" for card in cards), ""]]  # fmt: skip
    return table(str, ["", *(f"`{model}`" for model in models), say("The usual way")], rows)


def over_seeds(rows: list[Row], column: str) -> str:
    """Return the mean of a column of accuracies, with its range where there are several; empty if there is none."""
    values = [getattr(row, column) for row in rows if getattr(row, column) is not None]
    if len(values) < 2:
        return "".join(percent(value, 2) for value in values)
    return f"{percent(sum(values) / len(values), 2)} ({100 * min(values):.2f}–{100 * max(values):.2f})"


def release_hours(results: Results, say: Say) -> str:
    """Return what the trainings of --release add up to: all of the first seed but those without rendered pictures."""
    rows = [row for row in results.leaderboard() if row.seed == 0 and not row.no_camera]
    return f"{sum(row.train_seconds for row in rows) / 3600:.1f}"


def formats(results: Results, say: Say) -> str:
    """Return the files of the export: size, accuracy, milliseconds, how far from the Keras model, what runs them."""
    files, measured, rows = results.card()["files"], results.formats(), []
    for way in filter(measured.__contains__, RUNTIMES):
        found, name = measured[way], way.split(" ")[0]
        times = [f"{found[f'median_{count}_ms']:.1f} ms" for count in (1, 20)]
        rows.append([f"`{name}`", f"{found['size_mb']:.1f} MB", percent(found["accuracy"], 2), *times,
                     f"{files[name]['max_difference']:.0e}", RUNTIMES[way]])  # fmt: skip
    head = ["File", "Size", "MNIST test", "1 digit", "20 digits", "Differs by", "Runs with"]
    return table(say, head, rows, words=(0, 6))


def latency(results: Results, say: Say) -> str:
    """Return how long a frame takes, step by step, beside the usual way."""
    found = results.of("latency")
    frames = found["1_digits"], found["20_digits"], found["cluttered_room"]
    rows = [[say(text), *(f"{frame[step]:.1f} ms" for frame in frames)] for step, text in FRAME_STEPS.items()]
    rows.append([say("the usual way, `model.predict` alone"), f"{found['usual_way_ms']:.1f} ms", "", ""])
    rows.append([say("from start to first reading"), f"{found['first_reading_s']:.2f} s", "", ""])
    return table(say, ["A 640x480 frame", "1 digit", "20 digits", "A cluttered room"], rows)


def camera(results: Results, say: Say, model: str | None = None) -> str:
    """Return graded camera changes, mean over five strengths, beside the usual way."""
    found = results.camera(model=model)
    rows = [[say("Clean paper"), percent(found["clean"]), percent(found["clean_usual_way"])]]
    rows += [[say(NAMED[kind]), mean(shares), mean(found["graded_usual_way"][kind])]
             for kind, shares in found["graded"].items()]  # fmt: skip
    rows += [[f"{say('Sheets held up')}, {say(NAMED[kind])}", mean([grade["right"] for grade in grades]), ""]
             for kind, grades in found.get("held_sheets", {}).items()]  # fmt: skip
    return table(say, ["What is read", "Digits", "The usual way"], rows)


def real(results: Results, say: Say, model: str | None = None) -> str:
    """Return what is read of real photographs, scans, drawings and pages, and of what is no digit."""
    found, photos = results.camera(model=model), results.camera("photos", model=model)
    worst = say("worst writer {}").format(percent(min(photos["writers"].values())))
    rows = [[say("{} real photographs, {} writers").format(photos["images"], len(photos["writers"])),
             f"{percent(photos['accuracy'])} ({worst})", percent(found["photos_usual_way"])]]  # fmt: skip
    for kind, text in (("scans", "{} scanned digits"), ("tablet", "{} drawn with a mouse")):
        if kind in found:
            rows.append([say(text).format(found[kind]["images"]), percent(found[kind]["accuracy"]), ""])
    if "sheets" in found:
        rows.append([say("4 pages of digits (F1)"), f"{found['sheets']['f1']:.3f}", ""])
    read = table(say, ["What is read", "Digits", "The usual way"], rows)
    others = found["non_digits"]
    kinds = {"drawings": "300 drawings", "letters_in_unseen_fonts": "1,000 letters in ten unseen fonts"}
    rows = [[say(text), percent(others[kind])] for kind, text in kinds.items() if kind in others]
    if "strict" in others:
        rows.append([say(STRICT).format(others["strict"]), percent(others["letters_strict"])])
    elif "letters_strict" in others:  # measured before the finder gave the score
        threshold = results.card(model)["files"][Path(found["file"]).name]["strict"]["threshold"]
        rows.append([say(STRICT_BY_NETWORK).format(threshold), percent(others["letters_strict"])])
    return read + "\n\n" + table(say, ["What is no digit", "Read as one"], rows)


def training(results: Results, say: Say) -> str:
    """Return images a second, the usual way and ours, and how many times faster an epoch and a whole run are."""
    rows, found = [], results.of("training")
    for line in found["rows"]:
        stage, ways = line["stage"], (line["usual"], line["ours"])
        name = say(NAMED[stage]) if stage in NAMED else f"`{stage}`"
        rows.append([name, *(f"{way['images_per_second']:,.0f}/s" for way in ways), f"{line['ratio_epoch']:.1f}x",
                     f"{found['epochs']}, {found['our_epochs'][stage]}", f"{line['ratio_run']:.1f}x",
                     ", ".join(percent(way["val_accuracy"]) for way in ways)])  # fmt: skip
    head = ["Trained", "The usual way", "Here", "Faster, an epoch", "Epochs, usual and here", "Faster, a run",
            "Validation, usual and here"]  # fmt: skip
    return table(say, head, rows)


def growth(results: Results, say: Say) -> str:
    """Return seconds and peak memory of MobileNetV2's first two stages for more and more images."""
    lines = results.of("training", "growth", options=" --growth 1000 70000 700000")
    rows = [[f"{line['images']:,}", *(f"{line['seconds'][step]:,.0f} s" for step in STAGE_TIMES),
             f"{line['peak_gb']:.1f} GB"] for line in lines]  # fmt: skip
    return table(say, ["Images", *STAGE_TIMES.values(), "Peak memory"], rows, words=())


def ablation(results: Results, say: Say) -> str:
    """Return what each part of cnn_compact's training brings: validation, and seed by seed the gain over the recipe."""
    rows = []
    for line in results.of("ablation", "rows"):
        gain = "{:+.2f} ({:+.2f} … {:+.2f})".format(*(100 * value for value in line["gain"]))
        both = (percent(line[key][0], 2) for key in ("val", "val_camera"))
        rows.append([say(line["title"]), *both, "" if line["name"] == "recipe" else gain])
    return table(say, ["Trained", "Validation", "… after camera changes", "Change, points, mean of both (range)"], rows)


def versions(results: Results, say: Say) -> str:
    """Return the versions that the export was made with."""
    names = {"python": "Python", "tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy", "opencv": "OpenCV"}
    found = results.card()["libraries"]
    return ", ".join(f"{shown} {found[name]}" for name, shown in names.items())


NAMES: dict[str, Callable[[Results, Say], str]] = {
    **{table.__name__: table for table in (summary, networks, leaderboard, formats, latency, camera, real, training,
                                           growth, ablation)},
    "versions": versions,
    "release_hours": release_hours,
    "quick_minutes": lambda results, say: f"{results.whole_run(' --quick')['minutes']:.1f}",
    "quick_memory": lambda results, say: f"{results.whole_run(' --quick')['peak_gb']:.1f} GB",
    "default_minutes": lambda results, say: f"{results.whole_run()['minutes']:.0f}",
    "default_memory": lambda results, say: f"{results.whole_run()['peak_gb']:.1f} GB",
    "device": lambda results, say: results.of("latency", "device").replace("cores", say("cores")),
    "default": lambda results, say: f"`{results.card()['name']}`",
    "mnist": lambda results, say: percent(results.test()["accuracy"], 2),
    "mistakes": lambda results, say: f"{results.test()['errors']}",
    "off": lambda results, say: f"{100 * results.test()['calibration_error']:.1f}",
    "off_scaled": lambda results, say: f"{100 * results.test()['calibration_error_scaled']:.1f}",
    "photos": lambda results, say: percent(results.camera("photos")["accuracy"]),
    "photos_usual": lambda results, say: percent(results.camera()["photos_usual_way"]),
    "photos_usual_mobilenet": lambda results, say: percent(results.camera(model="mobilenet_v2")["photos_usual_way"]),
    "scale_measured": lambda results, say: table(say, *scale_tables.measured(results.of("scale"))),
    "scale_plan": lambda results, say: table(say, *scale_tables.plan(results.of("scale")), words=(8,)),
    "scale_pays": lambda results, say: f"{round(scale_tables.pays_from(results.of('scale')), -3):,}",
    "size": lambda results, say: f"{results.card()['files']['model.tflite']['bytes'] / 1e6:.1f} MB",
}


def fill(text: str, language: str, results: Results, pending: bool = False) -> str:
    """Return a page with its numbers filled in.

    Args:
        text: the page.
        language: of PAGES.
        results: where the numbers come from.
        pending: write PENDING where a result is missing, instead of raising.
    Raises:
        MissingError: a result does not exist, or a mark has a name that is not in NAMES.
    """

    spanish = json.loads(Path(__file__).with_name("words.es.json").read_text(encoding="utf-8"))
    say = spanish.__getitem__ if language == "es" else str

    def filled(match: re.Match) -> str:
        name = match.group(1)
        if name not in NAMES:
            raise MissingError(f"numbers:{name} is no known number, expected one of {', '.join(NAMES)}")
        try:
            found = NAMES[name](results, say)
        except MissingError:
            if not pending:
                raise
            found = PENDING[language]
        block = "\n" in match.group(2)  # a table stands on lines of its own
        inner = f"\n\n{found}\n\n" if block else found
        return f"<!-- numbers:{name} -->{inner}<!-- /numbers -->"

    return MARK.sub(filled, text)


def take_over(run: Path, kept: Path) -> None:
    """Put the run.json of a run of train_all.py into the results file `kept`, under its command without --out.

    Raises:
        MissingError: there is no such file, or the run went on from what an earlier one had made.
    """
    try:
        facts = json.loads(run.read_text(encoding="utf-8"))
        command, whole = facts["command"], facts["from_nothing"]
    except (OSError, ValueError, KeyError):
        raise MissingError(f"{run} is no run.json of train_all.py; expected that beside its leaderboard") from None
    if not whole:
        raise MissingError(f"{run} tells of a run that went on from an earlier one; run {command} with a new --out")
    common.add(kept, {re.sub(r" --out[ =]('[^']*'|\S+)", "", command): facts})


def main(arguments: list[str] | None = None) -> int:
    """Fill in or check the pages; 0 done, 1 something is missing or differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pending", action="store_true", help="write (pending) where a result does not exist yet")
    parser.add_argument("--check", action="store_true", help="change nothing, say what differs")
    parser.add_argument("--run", type=Path, metavar="FILE", help="first take over a run.json of train_all.py")
    options = parser.parse_args(arguments)
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
    try:
        if options.run:
            take_over(options.run, common.RESULTS / "whole_run.json")
        filled = {name: fill(texts[name], PAGES[name], Results(), options.pending) for name in PAGES}
    except (MissingError, RunError) as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    changed = [name for name in PAGES if filled[name] != texts[name]]
    if options.check:
        for name in changed:
            print(f"{name} says other numbers than the results; run python benchmarks/readme_numbers.py.",
                  file=sys.stderr)  # fmt: skip
        return 1 if changed else 0
    for name in changed:
        write_whole(ROOT / name, filled[name].encode())
        print(f"{name}: filled in")
    return 0


if __name__ == "__main__":
    sys.exit(main())
