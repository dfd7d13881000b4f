"""Every number in README.md and README.es.md, filled in from the files that results are kept in.

    python benchmarks/readme_numbers.py             fill in all; fails, changing nothing, where a result is missing
    python benchmarks/readme_numbers.py --pending   fill in what there is, and write "(pending)" for the rest
    python benchmarks/readme_numbers.py --check     change nothing; 1 if a page says anything else than the results do
    python benchmarks/readme_numbers.py --run FILE  first take over what a run of train_all.py took: its run.json

A number stands between `<!-- numbers:NAME -->` and `<!-- /numbers -->`; NAMES below says where each comes from.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digits.files import replacing

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"README.md": "en", "README.es.md": "es"}
MARK = re.compile(r"<!-- numbers:(\w+) -->(.*?)<!-- /numbers -->", re.DOTALL)
WHOLE_RUN = ROOT / "benchmarks" / "results" / "whole_run.json"
PENDING = {"en": "(pending)", "es": "(pendiente)"}
USUAL_NAME = "mobilenet_v2"  # of the export where exports/default.txt names none, as in digits.reading.formats

WORDS = {
    "en": {
        "network": "Network", "stage": "Trained", "weights": "Starts from", "val": "Validation",
        "val_camera": "… after camera changes", "test": "MNIST test", "params": "Parameters", "time": "Training",
        "file": "File", "size": "Size", "difference": "Differs by", "runs": "Runs with", "one": "1 digit",
        "twenty": "20 digits", "step": "A 640x480 frame", "find_ms": "finding the digits", "predict_ms": "the network",
        "draw_ms": "drawing the window", "whole_ms": "**the whole frame**",
        "usual_way_ms": "the usual way, `model.predict` alone", "first_reading_s": "from start to first reading",
        "what": "What is read", "right": "Digits", "usual": "The usual way", "seen": "seen in training",
        "clean": "Clean paper", "light": "Uneven light", "blur": "Blur", "noise": "Noise", "perspective": "Perspective",
        "ruled": "Ruled paper", "small": "Small", "off_centre": "Off centre", "faint": "Faint pen",
        "held_tilted": "Sheets held up, tilted by 15 to 55 degrees",
        "held_turned": "Sheets held up, turned by 5 to 25 degrees", "held_both": "Sheets held up, tilted and turned",
        "photos": "{} real photographs, {} writers", "scans": "{} scanned digits", "tablet": "{} drawn with a mouse",
        "sheets": "4 pages of digits (F1)", "worst": "worst writer {}",
        "no_digit": "What is no digit", "read_as_digit": "Read as one",
        "drawings": "300 drawings", "letters_in_unseen_fonts": "1,000 letters in ten unseen fonts",
        "letters_strict": "The same with `--min-confidence {:.2f}`, which 98 % of the calibration digits pass",
        "train": "all layers", "frozen": "stage 1: head, trunk frozen", "last_20": "stage 2: last 20 layers",
        "train, no camera": "all layers, no rendered pictures",
        "all_layers": "stage 3: all layers", "+val": ", again with validation", "cores": "cores",
        "imagenet": "ImageNet", "shipped": "shipped trunk", "random": "random",
        "usual_speed": "The usual way", "our_speed": "Here", "an_epoch": "Faster, an epoch",
        "epochs": "Epochs, usual and here", "a_run": "Faster, a run",
        "images": "Images", "both_val": "Validation, usual and here",
        "pass": "Cached pass", "frozen_epoch": "Epoch of stage 1",
        "last_20_epoch": "Epoch of stage 2", "peak": "Peak memory",
        "variant": "Trained with",
        "gain": "Change, points, mean of both (range)",
        "variant recipe": "everything: the recipe", "variant rendered": "no rendered pictures",
        "variant twice": "MNIST's tiles twice an epoch",
        "variant hands": "no digits bent and turned", "variant smooth": "no label smoothing",
        "variant average": "no average of weights", "variant decay": "everything, weight decay of 1",
        "variant wide": "everything, `cnn_augmented`'s layers", "variant longer": "everything, six epochs more",
        "variant both": "everything, six epochs more and weight decay of 1",
    },
    "es": {
        "network": "Red", "stage": "Entrenada", "weights": "Parte de", "val": "Validación",
        "val_camera": "… tras cambios de cámara", "test": "MNIST test", "params": "Parámetros",
        "time": "Entrenamiento", "file": "Archivo", "size": "Tamaño", "difference": "Difiere en",
        "runs": "Se ejecuta con", "one": "1 cifra", "twenty": "20 cifras", "step": "Un fotograma de 640x480",
        "find_ms": "encontrar las cifras", "predict_ms": "la red", "draw_ms": "dibujar la ventana",
        "whole_ms": "**el fotograma entero**", "usual_way_ms": "lo habitual, solo `model.predict`",
        "first_reading_s": "del arranque a la primera lectura",
        "what": "Qué se lee", "right": "Cifras leídas", "usual": "Lo habitual",
        "seen": "vista al entrenar", "clean": "Papel limpio", "light": "Luz desigual", "blur": "Desenfoque",
        "noise": "Ruido", "perspective": "Perspectiva", "ruled": "Papel rayado", "small": "Pequeño",
        "off_centre": "Descentrado", "faint": "Trazo débil",
        "held_tilted": "Hojas en la mano, inclinadas de 15 a 55 grados",
        "held_turned": "Hojas en la mano, giradas de 5 a 25 grados",
        "held_both": "Hojas en la mano, inclinadas y giradas", "photos": "{} fotos reales, {} autores",
        "scans": "{} cifras escaneadas", "tablet": "{} dibujadas con ratón", "sheets": "4 páginas de cifras (F1)",
        "worst": "peor autor {}", "no_digit": "Lo que no es cifra", "read_as_digit": "Leído como una",
        "drawings": "300 dibujos", "letters_in_unseen_fonts": "1,000 letras en diez tipos no vistos",
        "letters_strict": "Lo mismo con `--min-confidence {:.2f}`, que pasa el 98 % de las cifras de calibración",
        "train": "todas las capas", "frozen": "etapa 1: cabeza, tronco congelado",
        "train, no camera": "todas las capas, sin imágenes generadas",
        "last_20": "etapa 2: últimas 20 capas", "all_layers": "etapa 3: todas las capas",
        "+val": ", otra vez con validación", "cores": "núcleos", "imagenet": "ImageNet", "shipped": "tronco incluido",
        "random": "azar", "usual_speed": "Lo habitual", "our_speed": "Aquí", "an_epoch": "Más rápida, una época",
        "epochs": "Épocas, lo habitual y aquí", "a_run": "Más rápido, todo", "images": "Imágenes",
        "both_val": "Validación, lo habitual y aquí", "pass": "Pasada guardada",
        "frozen_epoch": "Época de la etapa 1", "last_20_epoch": "Época de la etapa 2", "peak": "Memoria máxima",
        "variant": "Entrenada con",
        "gain": "Cambio, puntos, media de ambas (rango)",
        "variant recipe": "todo: la receta", "variant rendered": "sin imágenes generadas",
        "variant twice": "las imágenes de MNIST dos veces por época",
        "variant hands": "sin torcer ni girar las cifras", "variant smooth": "sin suavizar las etiquetas",
        "variant average": "sin promediar los pesos", "variant decay": "todo, decaimiento de pesos de 1",
        "variant wide": "todo, con las capas de `cnn_augmented`", "variant longer": "todo, seis épocas más",
        "variant both": "todo, seis épocas más y decaimiento de pesos de 1",
    },
}  # fmt: skip

# Rows of the table of formats: as benchmarks/formats.py names them, and what runs each.
RUNTIMES = {
    "model.tflite": "LiteRT",
    "model_int8.tflite": "LiteRT",
    "model.onnx": "onnxruntime",
    "model.onnx by cv2.dnn": "OpenCV",
    "model.keras": "Keras 3",
    "model.keras by model.predict": "`model.predict`",
    "model.h5": "Keras 2, Keras 3",
    "model.json": "Keras 2, Keras 3",
}


class MissingError(Exception):
    """A result that does not exist yet; one sentence with the command that makes it."""


@dataclass(frozen=True)
class Results:
    """The results files below one folder, read when they are asked for."""

    root: Path = ROOT

    def leaderboard(self) -> list[dict]:
        """Return the rows of models/leaderboard.csv, as text."""
        path = self.root / "models" / "leaderboard.csv"
        try:
            with open(path, newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))
        except FileNotFoundError:
            raise MissingError("models/leaderboard.csv is missing; run python train_all.py --release") from None

    def default(self) -> str:
        """Return the name of the released export: the last one named; before it stands what a user taught."""
        path = self.root / "exports" / "default.txt"
        return path.read_text(encoding="utf-8").split()[-1] if path.is_file() else USUAL_NAME

    def card(self) -> dict:
        """Return the default export's card."""
        return self._json(f"exports/{self.default()}/card.json", "python train_all.py --release")

    def camera(self, model: str | None = None) -> dict:
        """Return what benchmarks/camera.py measured of an export, the default one if none is named."""
        model = model or self.default()
        models = self._json("benchmarks/results/camera.json", "python benchmarks/camera.py")["models"]
        if model not in models:
            raise MissingError(f"camera.json lacks {model}; run python benchmarks/camera.py")
        return models[model]

    def formats(self) -> dict:
        """Return what benchmarks/formats.py measured of the default export."""
        found = self._json("benchmarks/results/formats.json", "python benchmarks/formats.py")
        if found["export"] != self.default():
            raise MissingError(f"formats.json is about {found['export']}; run python benchmarks/formats.py")
        return found["formats"]

    def latency(self) -> dict:
        """Return what benchmarks/latency.py measured."""
        return self._json("benchmarks/results/latency.json", "python benchmarks/latency.py")

    def training(self) -> dict:
        """Return what benchmarks/training.py measured."""
        return self._json("benchmarks/results/training.json", "python benchmarks/training.py")

    def whole_run(self, *options: str) -> dict:
        """Return what train_all.py took with these options."""
        run = " ".join(["python train_all.py", *options])
        found = self._json(f"benchmarks/results/{WHOLE_RUN.name}", f"{run}, then this with --run")
        if run not in found:
            raise MissingError(f"{WHOLE_RUN.name} lacks {run}; run that, then this with --run")
        return found[run]

    def ablation(self) -> dict:
        """Return what benchmarks/ablation.py measured."""
        return self._json("benchmarks/results/ablation.json", "python benchmarks/ablation.py")

    def _json(self, name: str, command: str) -> dict:
        try:
            return json.loads((self.root / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise MissingError(f"{name} is missing; run {command}") from None


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage, with a point in both languages, as the programs print it."""
    return f"{100 * share:.{digits}f} %"


def table(head: list[str], rows: list[list[str]], words: tuple[int, ...] = (0,)) -> str:
    """Return a Markdown table; the columns `words` to the left, numbers to the right."""
    lines = [head, ["---" if column in words else "---:" for column in range(len(head))], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def leaderboard(results: Results, words: dict) -> str:
    """Return the leaderboard: one line a network and stage, means over seeds, with their range."""
    rows = results.leaderboard()
    most = max(int(row["images"]) for row in rows)  # trials on fewer pictures are no rivals
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        if int(row["images"]) == most:
            groups.setdefault((row["model"], stage_of(row), row["weights"], row["augmentation"]), []).append(row)
    head = [words[key] for key in ("network", "stage", "weights", "val", "val_camera", "test", "params", "time")]
    lines = []
    for (model, stage, weights, _), same in groups.items():
        accuracies = [over_seeds(same, f"{key}_accuracy") or words["seen"] for key in ("val", "val_camera", "test")]
        seconds = sum(float(row["train_seconds"]) for row in same) / len(same)
        lines.append([f"`{model}`", stage_words(stage, words), words.get(weights, weights), *accuracies,
                      f"{int(same[0]['params']):,}", duration(seconds)])  # fmt: skip
    return table(head, lines, words=(0, 1, 2))


def release_hours(results: Results, words: dict) -> str:
    """Return what the trainings of --release add up to: all of the first seed but those without rendered pictures."""
    rows = [row for row in results.leaderboard() if row["seed"] == "0" and row["no_camera"] == "False"]
    seconds = [float(row["train_seconds"]) for row in rows]
    return f"{sum(seconds) / 3600:.1f}"


def over_seeds(rows: list[dict], column: str) -> str:
    """Return the mean of a column of accuracies, with its range where there are several; empty if there is none."""
    values = [float(row[column]) for row in rows if row.get(column)]
    if not values:
        return ""
    mean = percent(sum(values) / len(values), 2)
    return mean if len(values) == 1 else f"{mean} ({percent(min(values), 2)[:-2]}–{percent(max(values), 2)[:-2]})"


def stage_of(row: dict) -> str:
    """Return the stage of a row, with what sets it apart: a run without rendered pictures, a training with val."""
    return row["stage"] + ", no camera" * (row["no_camera"] == "True") + "+val" * (row["with_val"] == "True")


def stage_words(stage: str, words: dict) -> str:
    """Return a stage of the leaderboard in words."""
    name, plus, _ = stage.partition("+val")
    return words.get(name, name) + (words["+val"] if plus else "")


def duration(seconds: float) -> str:
    """Return a time in minutes, or in seconds where it is short."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def formats(results: Results, words: dict) -> str:
    """Return the files of the export: size, accuracy, milliseconds, how far from the Keras model, what runs them."""
    files, measured = results.card()["files"], results.formats()
    head = [words[key] for key in ("file", "size", "test", "one", "twenty", "difference", "runs")]
    rows = []
    for way, runtime in RUNTIMES.items():
        if way in measured:
            found, name = measured[way], way.split(" ")[0]
            times = [f"{found[f'median_{count}_ms']:.1f} ms" for count in (1, 20)]
            rows.append([f"`{name}`", f"{found['size_mb']:.1f} MB", percent(found["accuracy"], 2), *times,
                         f"{files[name]['max_difference']:.0e}", runtime])  # fmt: skip
    return table(head, rows, words=(0, 6))


def latency(results: Results, words: dict) -> str:
    """Return how long a frame takes, step by step, beside the usual way."""
    found = results.latency()
    one, twenty = found["1_digits"], found["20_digits"]
    rows = [[words[key], f"{one[key]:.1f} ms", f"{twenty[key]:.1f} ms"]
            for key in ("find_ms", "predict_ms", "draw_ms", "whole_ms")]  # fmt: skip
    rows.append([words["usual_way_ms"], f"{found['usual_way_ms']:.1f} ms", ""])
    rows.append([words["first_reading_s"], f"{found['first_reading_s']:.2f} s", ""])
    return table([words["step"], words["one"], words["twenty"]], rows)


def camera(results: Results, words: dict) -> str:
    """Return graded camera changes, mean over five strengths, beside the usual way."""
    found = results.camera()
    rows = [[words["clean"], percent(found["clean"]), percent(found["clean_usual_way"])]]
    for kind, shares in found["graded"].items():
        usual = found["graded_usual_way"][kind]
        rows.append([words[kind], percent(sum(shares) / len(shares)), percent(sum(usual) / len(usual))])
    for kind, grades in found.get("held_sheets", {}).items():
        rows.append([words[f"held_{kind}"], percent(sum(grade["right"] for grade in grades) / len(grades)), ""])
    return table([words["what"], words["right"], words["usual"]], rows)


def real(results: Results, words: dict) -> str:
    """Return what is read of real photographs, scans, drawings and pages, and of what is no digit."""
    found = results.camera()
    photos, rows = _photos(results), []
    worst = words["worst"].format(percent(min(photos["writers"].values())))
    rows.append([words["photos"].format(photos["images"], len(photos["writers"])),
                 f"{percent(photos['accuracy'])} ({worst})", percent(found["photos_usual_way"])])  # fmt: skip
    for kind in ("scans", "tablet"):
        if kind in found:
            rows.append([words[kind].format(found[kind]["images"]), percent(found[kind]["accuracy"]), ""])
    if "sheets" in found:
        rows.append([words["sheets"], f"{found['sheets']['f1']:.3f}", ""])
    read = table([words["what"], words["right"], words["usual"]], rows)
    others, rows = found["non_digits"], []
    for kind in ("drawings", "letters_in_unseen_fonts"):
        if kind in others:
            rows.append([words[kind], percent(others[kind])])
    if "letters_strict" in others:
        entry = results.card()["files"][Path(found["file"]).name]
        rows.append([words["letters_strict"].format(entry["strict"]["threshold"]), percent(others["letters_strict"])])
    return read + "\n\n" + table([words["no_digit"], words["read_as_digit"]], rows)


def training(results: Results, words: dict) -> str:
    """Return images a second, the usual way and ours, and how many times faster an epoch and a whole run are."""
    head = [words[key] for key in ("stage", "usual_speed", "our_speed", "an_epoch", "epochs", "a_run", "both_val")]
    rows, found = [], results.training()
    for line in found["rows"]:
        usual, ours = line["usual"], line["ours"]
        name = words.get(line["stage"], f"`{line['stage']}`")
        rows.append([name, *(f"{way['images_per_second']:,.0f}/s" for way in (usual, ours)),
                     f"{line['ratio_epoch']:.1f}x", f"{found['epochs']}, {found['our_epochs'][line['stage']]}",
                     f"{line['ratio_run']:.1f}x",
                     f"{percent(usual['val_accuracy'])}, {percent(ours['val_accuracy'])}"])  # fmt: skip
    return table(head, rows)


def growth(results: Results, words: dict) -> str:
    """Return seconds and peak memory of MobileNetV2's first two stages for more and more images."""
    found = results.training()
    if "growth" not in found:
        raise MissingError("training.json lacks growth; run python benchmarks/training.py --growth 1000 70000 700000")
    steps = ("pass", "frozen_epoch", "last_20_epoch")
    rows = [[f"{line['images']:,}", *(f"{line['seconds'][step]:,.0f} s" for step in steps), f"{line['peak_gb']:.1f} GB"]
            for line in found["growth"]]  # fmt: skip
    return table([words[key] for key in ("images", *steps, "peak")], rows, words=())


def ablation(results: Results, words: dict) -> str:
    """Return what each part of cnn_compact's training brings: validation, and seed by seed the gain over the recipe."""
    head = [words[key] for key in ("variant", "val", "val_camera", "gain")]
    rows = []
    for line in results.ablation()["rows"]:
        mean, least, most = (100 * value for value in line["gain"])
        gain = "" if line["name"] == "recipe" else f"{mean:+.2f} ({least:+.2f} … {most:+.2f})"
        both = (percent(line[key][0], 2) for key in ("val", "val_camera"))
        rows.append([words[f"variant {line['name']}"], *both, gain])
    return table(head, rows)


def versions(results: Results, words: dict) -> str:
    """Return the versions that the export was made with."""
    names = {"python": "Python", "tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy", "opencv": "OpenCV"}
    found = results.card()["libraries"]
    return ", ".join(f"{shown} {found[name]}" for name, shown in names.items())


NAMES: dict[str, Callable[[Results, dict], str]] = {
    "leaderboard": leaderboard,
    "formats": formats,
    "latency": latency,
    "camera": camera,
    "real": real,
    "training": training,
    "growth": growth,
    "ablation": ablation,
    "quick_minutes": lambda results, words: f"{results.whole_run('--quick')['minutes']:.1f}",
    "quick_memory": lambda results, words: f"{results.whole_run('--quick')['peak_gb']:.1f} GB",
    "default_minutes": lambda results, words: f"{results.whole_run()['minutes']:.0f}",
    "release_hours": release_hours,
    "default_memory": lambda results, words: f"{results.whole_run()['peak_gb']:.1f} GB",
    "versions": versions,
    "device": lambda results, words: results.latency()["device"].replace("cores", words["cores"]),
    "default": lambda results, words: f"`{results.card()['name']}`",
    "mnist": lambda results, words: percent(results.card()["metrics"]["test"]["accuracy"], 2),
    "mistakes": lambda results, words: f"{results.card()['metrics']['test']['errors']}",
    "off": lambda results, words: f"{100 * results.card()['metrics']['test']['calibration_error']:.1f}",
    "off_scaled": lambda results, words: f"{100 * results.card()['metrics']['test']['calibration_error_scaled']:.1f}",
    "photos": lambda results, words: percent(_photos(results)["accuracy"]),
    "photos_usual_mobilenet": lambda results, words: percent(results.camera("mobilenet_v2")["photos_usual_way"]),
    "photos_usual": lambda results, words: percent(results.camera()["photos_usual_way"]),
    "size": lambda results, words: f"{results.card()['files']['model.tflite']['bytes'] / 1e6:.1f} MB",
}


def _photos(results: Results) -> dict:
    found = results.camera()
    if "photos" not in found:
        raise MissingError("camera.json lacks the real photographs; run python benchmarks/camera.py with DIGITS_REAL_*")
    return found["photos"]


def fill(text: str, language: str, results: Results, pending: bool = False) -> str:
    """Return a page with its numbers filled in.

    Args:
        text: the page.
        language: a key of WORDS.
        results: where the numbers come from.
        pending: write PENDING where a result is missing, instead of raising.
    Raises:
        MissingError: a result does not exist, or a mark has a name that is not in NAMES.
    """

    def filled(match: re.Match) -> str:
        name = match.group(1)
        if name not in NAMES:
            raise MissingError(f"numbers:{name} is no known number, expected one of {', '.join(NAMES)}")
        try:
            found = NAMES[name](results, WORDS[language])
        except MissingError:
            if not pending:
                raise
            found = PENDING[language]
        block = "\n" in match.group(2)  # a table stands on lines of its own
        inner = f"\n\n{found}\n\n" if block else found
        return f"<!-- numbers:{name} -->{inner}<!-- /numbers -->"

    return MARK.sub(filled, text)


def take_over(run: Path, kept: Path) -> None:
    """Put what a run of train_all.py took into the results, under its command without --out.

    Args:
        run: the run.json beside the leaderboard of the run.
        kept: the file that has an entry for each command.
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
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    with replacing(kept) as beside:
        known[re.sub(r" --out[ =]('[^']*'|\S+)", "", command)] = facts
        beside.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Fill in or check both pages; 0 done, 1 something is missing or differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pending", action="store_true", help="write (pending) where a result does not exist yet")
    parser.add_argument("--check", action="store_true", help="change nothing, say what differs")
    parser.add_argument("--run", type=Path, metavar="FILE", help="first take over a run.json of train_all.py")
    options = parser.parse_args(arguments)
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
    try:
        if options.run:
            take_over(options.run, WHOLE_RUN)
        filled = {name: fill(texts[name], PAGES[name], Results(), options.pending) for name in PAGES}
    except MissingError as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    changed = [name for name in PAGES if filled[name] != texts[name]]
    if options.check:
        for name in changed:
            print(f"{name} says other numbers than the results; run python benchmarks/readme_numbers.py.",
                  file=sys.stderr)  # fmt: skip
        return 1 if changed else 0
    for name in changed:
        with replacing(ROOT / name) as beside:
            beside.write_text(filled[name], encoding="utf-8", newline="\n")
        print(f"{name}: filled in")
    return 0


if __name__ == "__main__":
    sys.exit(main())
