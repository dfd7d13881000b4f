"""benchmarks/RESULTS.md, the one place for numbers, written from benchmarks/results/, the leaderboard and the cards.

    python benchmarks/results_page.py             write the page; what was not measured yet is "(pending)"
    python benchmarks/results_page.py --check     change nothing; 1 if the page says anything else than the results do

Tables that the README quotes come from readme_numbers.py. A section is an entry of SECTIONS.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import readme_numbers as numbers
import results_tables as tables
from common import ROOT
from readme_numbers import MissingError, Results

from digits.files import write_whole

PAGE = ROOT / "benchmarks" / "RESULTS.md"
Table = Callable[[Results, numbers.Say], str]
HEAD = """# Results

All numbers of this project, with the command, the commit and the machine behind each. `python benchmarks/run.py`
measures, and `python benchmarks/results_page.py` writes this page from [results/](results), the
[leaderboard](../models/leaderboard.csv) and the cards in `exports/`. What is not measured yet is {pending}.

The released model is {default}. A commit with a + had changes that were not committed."""


@dataclass(frozen=True)
class Section:
    """A heading, what a reader must know, tables, and where they come from.

    Attributes:
        made: results files, each with the keys that lead to its circumstances: command, commit, device, time.
        figures: pictures, below the checkout, with what they show.
    """

    title: str
    text: str
    tables: tuple[Table, ...]
    made: tuple[tuple[str, ...], ...] = ()
    figures: tuple[tuple[str, str], ...] = ()


FIGURES = "models/figures"
MOBILENET = "mobilenet_v2"
SECTIONS = (
    Section("The networks", "Means over seeds, with the range in brackets. Validation alone chooses: the mean of clean "
            "tiles and of the same tiles after camera changes.",
            (numbers.leaderboard, tables.commits),
            figures=((f"{FIGURES}/leaderboard_val.png", "Validation"),
                     (f"{FIGURES}/leaderboard_camera.png", "Validation after camera changes"),
                     (f"{FIGURES}/leaderboard_test.png", "MNIST test"),
                     (f"{FIGURES}/learning_curves.png", "Learning curves"),
                     (f"{FIGURES}/mistakes.png", "Mistakes on MNIST's test set"))),
    Section("The released model on MNIST's test set", "Confidences are those after the temperature, which is fitted on "
            "calibration pictures.", (tables.test_set,),
            figures=((f"{FIGURES}/reliability.png", "How honest confidences are"),
                     (f"{FIGURES}/rejection.png", "What a threshold lets through"))),
    Section("Real pictures", "None of them was trained on. The photographs are a development set: mistakes on them "
            "were looked at. The usual way is the whole frame, resized, straight into the same network.",
            (numbers.real, tables.real_pages), (("camera",),)),
    Section("Real pictures, MobileNetV2", "The same with the larger network.",
            (lambda results, say: numbers.real(results, say, MOBILENET),
             lambda results, say: tables.real_pages(results, say, MOBILENET)), (("camera",),)),
    Section("Rendered photographs, worse and worse", "Forty photographs at each of five strengths; the mean of all.",
            (numbers.camera,), (("camera",),)),
    Section("Rendered photographs, MobileNetV2", "The same with the larger network.",
            (lambda results, say: numbers.camera(results, say, MOBILENET),), (("camera",),)),
    Section("Beside others", "One machine, the same pictures. Those that learn had the same tiles and as many minutes "
            "as the released model, which learns from rendered pictures, too. A classifier names a digit whatever it "
            "sees.",
            (tables.peers, tables.peers_examples, tables.peers_ways), (("peers",),)),
    Section("Time a frame", "Medians, 640x480, with the released model.", (numbers.latency,), (("latency",),)),
    Section("Files of the released model", "Each format in a process of its own; accuracy is that of the file itself.",
            (numbers.formats,), (("formats",),)),
    Section("The page in a browser", "`digits.html` beside the script, on the frames of the demo clip; medians.",
            (tables.web_page,), (("web_page",),)),
    Section("Speed of training", "The usual way, `ImageDataGenerator` and the whole network forward in every epoch, "
            "and this project's, on the same 4,000 images.", (numbers.training,), (("training",),)),
    Section("Growth", "MobileNetV2's first two stages with more and more images.", (numbers.growth,),
            (("training", "growth_circumstances"),)),
    Section("Whole runs", "From nothing to exports, on one machine.", (tables.whole_runs,),
            (("whole_run", "python train_all.py"), ("whole_run", "python train_all.py --quick"))),
    Section("What each part of the training brings", "`cnn_compact`, short trainings on part of MNIST, seed by seed.",
            (numbers.ablation,), (("ablation",),)),
    Section("Weight decay, tried and not adopted", "`cnn_compact` with a weight decay of 0.1; no such export ships.",
            (tables.weight_decay,), (("weight_decay", "camera"),)),
    Section("Own images", "Read: photographs by people whose writing was not learnt from, and MNIST's calibration "
            "pictures.", (tables.own_images,), (("own_images",),)),
    Section("Reading at scale", "Explained in [docs/scale.md](../docs/scale.md).",
            (numbers.NAMES["scale_measured"],), (("scale",),)),
    Section("What goes wrong", "Damaged files, full disks, killed processes: a case is clean if it ends with one "
            "sentence, leaves nothing half-written, and a restart gives what an uninterrupted run gives.",
            (tables.drill,), (("drill",),)),
)  # fmt: skip


def page(results: Results) -> str:
    """Return the whole page."""
    pending = numbers.PENDING["en"]
    parts = [HEAD.format(pending=pending, default=or_pending(numbers.NAMES["default"], results))]
    for section in SECTIONS:
        parts += [f"## {section.title}", section.text, *(or_pending(table, results) for table in section.tables)]
        parts += ["  \n".join(made_by(results, *made) for made in section.made)] if section.made else []
        parts += [f"![{shows}](../{path})" for path, shows in section.figures]
    return "\n\n".join(filter(None, parts)) + "\n"


def or_pending(table: Table, results: Results) -> str:
    """Return a table in English, or the word for what is not measured yet."""
    try:
        return table(results, str)
    except MissingError:
        return numbers.PENDING["en"]


def made_by(results: Results, script: str, *parts: str) -> str:
    """Return one line on how a results file came about: command, commit, machine, day."""
    try:
        facts = results.of(script, *parts)
    except MissingError:
        return ""
    known = [facts.get("commit") and f"commit {facts['commit']}", facts.get("device"), facts.get("time", "")[:10]]
    return ", ".join([f"`{facts['command']}`", *filter(None, known)])


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; 0 done, 1 it differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if the page differs")
    parser.add_argument("--out", type=Path, default=PAGE, metavar="FILE", help="default: benchmarks/RESULTS.md")
    options = parser.parse_args(arguments)
    text = page(Results())
    same = options.out.is_file() and options.out.read_text(encoding="utf-8") == text
    if options.check:
        if not same:
            print(f"{options.out.name} says other numbers than the results; run python benchmarks/results_page.py.",
                  file=sys.stderr)  # fmt: skip
        return 0 if same else 1
    if not same:
        write_whole(options.out, text.encode())
        print(f"{options.out.name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
