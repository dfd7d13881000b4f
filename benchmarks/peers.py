"""This project beside others, on one machine: the same pictures, and for those that learn the same tiles and minutes.

    python benchmarks/peers.py                            with .venv-peers, see benchmarks/peers-requirements.txt
    python benchmarks/peers.py --python PATH --only rapidocr tesseract
    python benchmarks/peers.py --minutes 1                a trial

Ultralytics classify and fastai learn from random weights, from data/merged/{train,val} (run train_all.py once before),
as long as the default export did by the leaderboard. All read real photographs, pages, pictures without a digit, where
DIGITS_REAL_* name them, else those of data/samples, and rendered letters. What is not installed is named as left out.
Prints a table, writes benchmarks/results/peers.json; trainings are kept in runs/peers/, and not done again. Times
are of pictures in memory; that of Tesseract holds the start of its program.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import common
import cv2
import numpy as np
from camera import FONTS
from contestants import CONTESTANTS, NOT_INSTALLED, OWN_PYTHON
from matplotlib import get_data_path

from digits.learning.experiment.leaderboard import read_leaderboard
from digits.paths import MERGED_DIR, MODELS_DIR, ROOT, RUNS_DIR, SAMPLES_DIR
from digits.reading.models.default import default_export
from digits.rendering.letters import LETTERS, draw_printed_letter
from digits.rendering.photographs import photograph_one

SEED = 7
LETTER_PICTURES = 100
TEST_TILES = 100  # of each digit, to see that those who learn have learnt
PYTHON = ROOT / ".venv-peers" / ("Scripts" if os.name == "nt" else "bin") / "python"
NOT_HERE = "not installed, see benchmarks/peers-requirements.txt"
MEASURED = {"photos": "accuracy", "pages": "all"}


def main() -> int:
    """Measure each contestant in a process of its own, print, write; 0 done, 1 one failed, 2 nothing to learn from."""
    parser = common.parser(__doc__)
    parser.add_argument("--python", type=Path, default=PYTHON, help="what has the peers (default: .venv-peers)")
    parser.add_argument("--minutes", type=float, metavar="N", help="of training (default: as long as ours took)")
    parser.add_argument("--merged", type=Path, default=MERGED_DIR, metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS), metavar="NAME")
    parser.add_argument("--work", type=Path, default=RUNS_DIR / "peers", metavar="DIR", help="default: runs/peers")
    options = parser.parse_args()
    if not (options.merged / "index.csv").is_file():
        print(f"{options.merged} holds no tiles; run python train_all.py --quick first.", file=sys.stderr)
        return 2
    seconds = 60 * options.minutes if options.minutes else our_seconds()
    if not seconds:
        print("The leaderboard does not say how long the default export was trained; say --minutes.", file=sys.stderr)
        return 2
    work = options.work.resolve()
    job = {"work": str(work), "seconds": round(seconds, 1), "pictures": lay_out(work / "pictures"),
           **copy_tiles(options.merged, work / "tiles")}  # fmt: skip
    (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
    found, left_out, failed = {}, {}, 0
    for name in options.only:
        python = Path(sys.executable) if name in OWN_PYTHON else options.python
        result, problem = one(name, python, work)
        failed += problem not in ("", NOT_HERE)
        found |= {name: result} if result else {}
        left_out |= {name: problem} if problem else {}
        print(f"{CONTESTANTS[name].title}: {problem or json.dumps(result)}", flush=True)
    if "ours" in found:
        found["ours"]["train_seconds"] = round(our_seconds(), 1)
    print(table(found))
    facts = {"minutes": round(seconds / 60, 1), "tiles": job["tiles"], "pictures_are": job["pictures"]["are"]}
    facts |= {"contestants": found, "left_out": left_out}
    common.write(options.out, {"seed": SEED, **common.made_with(), **facts})
    return 1 if failed else 0


def our_seconds() -> float:
    """Return the seconds that the default export was trained for, by the leaderboard."""
    name = default_export().name
    rows = [row for row in read_leaderboard(MODELS_DIR / "leaderboard.csv")
            if (row.model, row.seed, row.no_camera, row.with_val) == (name, 0, False, False)]  # fmt: skip
    return sum(row.train_seconds for row in rows)


def one(name: str, python: Path, work: Path) -> tuple[dict | None, str]:
    """Return what one contestant reads, or why it was left out: a sentence."""
    result = work / f"{name}.json"
    result.unlink(missing_ok=True)
    if not python.is_file():
        return None, NOT_HERE
    command = [str(python), str(Path(__file__).with_name("contestants.py")), name, str(work / "job.json"), str(result)]
    settings = {"YOLO_CONFIG_DIR": str(work), "YOLO_OFFLINE": "True", "YOLO_AUTOINSTALL": "False"}
    with open(work / f"{name}.log", "wb") as log:
        done = subprocess.run(command, cwd=work, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode == NOT_INSTALLED:
        return None, NOT_HERE
    if done.returncode or not result.is_file():
        lines = (work / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return None, f"ended with {done.returncode}: {(lines or ['it said nothing'])[-1]}"
    return json.loads(result.read_text(encoding="utf-8")), ""


def copy_tiles(merged: Path, folder: Path) -> dict:
    """Copy the tiles to learn from and to validate with: peers write beside what they read. Return facts for the job.

    Returns:
        data: the folder; data_key: what names its content; tiles: how many there are to learn from; test_tiles: a
            folder with some of MNIST's test set.
    """
    index = (merged / "index.csv").read_bytes()
    key, kept = hashlib.sha256(index).hexdigest()[:16], folder / "key"
    if not kept.is_file() or kept.read_text() != key:
        shutil.rmtree(folder, ignore_errors=True)
        for split in ("train", "val"):
            shutil.copytree(merged / split, folder / "data" / split)
        for digit in range(10):
            (folder / "test" / str(digit)).mkdir(parents=True)
            for path in sorted((merged / "test" / str(digit)).glob("mnist_*.png"))[:TEST_TILES]:
                shutil.copy(path, folder / "test" / str(digit))
        kept.write_text(key)
    count = sum(1 for _ in (folder / "data" / "train").glob("*/*.png"))
    return {"data": str(folder / "data"), "test_tiles": str(folder / "test"), "data_key": key, "tiles": count}


def lay_out(folder: Path) -> dict:
    """Return where the pictures of each kind lie; what no variable names is laid out in `folder`, from data/samples."""
    shutil.rmtree(folder, ignore_errors=True)
    real = {kind: os.environ.get(f"DIGITS_REAL_{kind.upper()}") for kind in ("photos", "pages", "nodigits", "sheets")}
    found = {kind: place for kind, place in real.items() if place}
    found["are"] = "real" if real["photos"] and real["pages"] else "rendered, of data/samples"
    found.setdefault("photos", str(sample_photos(folder / "photos")))
    found.setdefault("pages", str(sample_pages(folder / "pages")))
    letters = draw_letters(folder / "letters")
    found["letters"] = str(folder / "letters")
    page = Path(real["sheets"]) / "photo_5.jpg" if real["sheets"] else SAMPLES_DIR / "page_1.png"
    found["examples"] = {"page": str(page), "letter": str(letters[0])}
    desk = Path(real["nodigits"] or "") / "desk.jpg"
    if desk.is_file():
        found["examples"]["empty desk"] = str(desk)
    return found


def sample_photos(folder: Path) -> Path:
    """Lay out the ten photographs of data/samples as <digit>/writera_<number>.jpg; return the folder."""
    for path in SAMPLES_DIR.glob("digit_*.jpg"):
        digit = path.stem[-1]
        (folder / digit).mkdir(parents=True)
        shutil.copy(path, folder / digit / "writera_01.jpg")
    return folder


def sample_pages(folder: Path) -> Path:
    """Lay out the pages of data/samples with a truth.json of digits in reading order; return the folder."""
    folder.mkdir(parents=True)
    truth = json.loads((SAMPLES_DIR / "truth.json").read_text(encoding="utf-8"))
    named = {path.name: [entry["digit"] for entry in truth[path.name]] for path in SAMPLES_DIR.glob("page_*.png")}
    for name in named:
        shutil.copy(SAMPLES_DIR / name, folder)
    (folder / "truth.json").write_text(json.dumps(named), encoding="utf-8")
    return folder


def draw_letters(folder: Path) -> list[Path]:
    """Write photographs of printed letters that are no digits in shape, in fonts that no training saw; return them."""
    folder.mkdir(parents=True)
    rng, fonts = np.random.default_rng(SEED), Path(get_data_path()) / "fonts" / "ttf"
    letters, paths = "".join(filter(str.isalpha, LETTERS)), []
    for number in range(LETTER_PICTURES):
        ink = draw_printed_letter(rng, 128, [str(fonts / f"{FONTS[number % len(FONTS)]}.ttf")], letters)
        paths.append(folder / f"{number:03}.png")
        cv2.imwrite(str(paths[-1]), photograph_one(ink, rng, 0.5)[0])
    return paths


def table(found: dict[str, dict]) -> str:
    """Return the figures as text."""
    rows = [["", "MNIST tiles", "photographs", "pages, F1", "no digit, read", "letters, read", "trained s", "ms", "MB"]]
    for one in found.values():
        none = one.get("nodigits")
        tiles = f"{100 * one['tiles']['accuracy']:.1f} %" if "tiles" in one else "-"
        rows.append([one["title"], tiles, *(f"{100 * one[kind][part]:.1f} %" for kind, part in MEASURED.items()),
                     f"{none['read']} of {none['pictures']}" if none else "-",
                     f"{one['letters']['read']} of {one['letters']['pictures']}",
                     f"{one['train_seconds']:.0f}" if "train_seconds" in one else "-",
                     f"{one['ms_photo']:.1f}", f"{one['size_mb']:.1f}"])  # fmt: skip
    return common.table(rows)


if __name__ == "__main__":
    sys.exit(main())
