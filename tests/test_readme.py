"""The two READMEs and docs/: in step with each other, the programs and the results; every command in them is run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from loading import load

from digits.reading.readings import Hint

ROOT = Path(__file__).resolve().parents[1]
ENGLISH, SPANISH = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.es.md"))
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
GUIDES = "\n".join([ENGLISH, *(DOCS[f"{name}.md"] for name in ("live", "own_images", "training", "formats"))])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELLS = ("bash", "powershell")

LIVE = "python realtime_multiformat.py"
# How each command of the READMEs is run here: with what added to it. {export} is an export folder, {out} an empty one.
SHORTENED = {
    LIVE: "--source demo --headless --max-frames 5",
    f"{LIVE} --source demo": "--headless --max-frames 5",
    f"{LIVE} --source data/samples/page_1.png --headless": "",
    f"{LIVE} --model exports/mobilenet_v2/model.keras --source data/samples/digit_7.jpg --headless": "",
    "python -m digits.reading.verify exports/mobilenet_v2": "",
    "python -m digits.learning.worksheet print --session Ana": "--out {out}/sheet.pdf",
    "python -m digits.page": "--out {out}/digits.html",
    "python -m digits.learning.dataset": "--limit 200 --out {out}/merged",
    "python -m digits.learning.dataset audit": "--limit 200 --out {out}/merged --page {out}/audit.html",
}
# Commands that take long, or change the machine, and the test that covers them.
ELSEWHERE = {
    "python train_all.py": "tests/test_readme.py::test_the_quick_run_ends_by_reading_a_photograph",
    "python train_all.py --release": "tests/test_readme.py::test_the_quick_run_ends_by_reading_a_photograph",
    "python train_all.py --finder": (
        "tests/learning/finder/test_finder.py::test_the_stage_writes_an_export_whose_formats_agree"
    ),
    "python train_all.py --teach": "tests/learning/teaching/test_teach.py::test_corrections_are_learnt_and_exported",
    "python train_all.py --bundle": "tests/learning/export/test_bundle.py::test_train_all_bundles_the_default_export",
    "python -m digits.learning.worksheet scan photo.jpg": (
        "tests/learning/worksheet/test_worksheet.py::test_scanning_needs_no_display_and_names_cannot_leave_the_folder"
    ),
    "python exports/cnn_compact/digits_webcam.pyz": (
        "tests/learning/export/test_bundle.py::test_it_reads_a_photograph_alone"
    ),
    "python -m pip install numpy opencv-python ai-edge-litert": (
        "tests/test_readme.py::test_the_minimal_install_is_enough_for_the_camera_script"
    ),
    "python -m pip install pillow-heif": (
        "tests/reading/test_images.py::test_a_photograph_of_an_iphone_is_read_whole_or_says_what_to_install"
    ),
}


def commands(text):
    """Return the commands of a page: the lines of shell blocks, and what inline code starts with a program."""
    lines = [line for shell, block in FENCE.findall(text) if shell in SHELLS for line in block.splitlines()]
    inline = re.findall(r"`((?:python|pip|bash|conda) [^`]+)`", FENCE.sub("", text))
    return [line for line in dict.fromkeys(lines + inline) if line.strip() and not line.startswith("#")]


def set_up_block(text, shell):
    """Return the lines of the first block of a shell."""
    return next(block.splitlines() for found, block in FENCE.findall(text) if found == shell)


def run(command, **options):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def test_each_command_is_run_by_a_test():
    set_up = {line for shell in SHELLS for line in set_up_block(ENGLISH, shell)}
    untested = set(commands(GUIDES)) - set_up - set(SHORTENED) - set(ELSEWHERE)
    assert not untested, "add them to SHORTENED or ELSEWHERE"
    assert (set(SHORTENED) | set(ELSEWHERE)) <= set(commands(GUIDES)), "no longer in README or docs"
    for place in ELSEWHERE.values():
        path, name = place.split("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), place


@pytest.mark.parametrize("command", SHORTENED)
def test_commands_do_what_the_page_says(command, released_export, tmp_path):
    added = SHORTENED[command].replace("{out}", tmp_path.as_posix())
    words, named = shlex.split(f"{command} {added}"), "exports/mobilenet_v2"
    if not (ROOT / named).is_dir():
        words = [word.replace(named, str(released_export)) for word in words]
    assert words[0] == "python"
    if "realtime" in command and "--model" not in words:
        words += ["--model", str(released_export)]
    done = run([sys.executable, *words[1:]])
    if "realtime" in command:
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(records) == (5 if "demo" in words else 1)
        shown = json.loads(next(block for language, block in FENCE.findall(DOCS["live.md"]) if language == "json"))
        assert list(records[0]) == list(shown)
        for part in ("digits", "rows"):
            assert all(set(found) == set(shown[part][0]) for record in records for found in record[part])
    if "audit" in words:
        assert "<html" in (tmp_path / "audit.html").read_text(encoding="utf-8")


def test_the_first_block_sets_up_trains_and_tests():
    first = FENCE.search(ENGLISH)
    assert first[1] == "bash" and len(first[2].splitlines()) == 2
    assert len(ENGLISH[: first.start()].splitlines()) < 25, "near the top"
    for shell, python, joint in (("bash", ".venv/bin/python", " && "), ("powershell", r".venv\Scripts\python", "; ")):
        train, test = (line.split(joint) for line in set_up_block(ENGLISH, shell))
        assert train[0] == test[0] and train[0].endswith(" -m venv .venv")
        assert train[1:] == [f"{python} -m pip install -e .", f"{python} train_all.py --quick"]
        assert test[1:] == [f'{python} -m pip install -e ".[dev]"', f"{python} -m pytest"]


def test_the_quick_run_ends_by_reading_a_photograph(tmp_path):
    """The first line of the README after its installation, whole: the one long run of the suite."""
    done = run([sys.executable, "train_all.py", "--quick", "--out", str(tmp_path)], timeout=900)
    *_, reading, verdict, last = done.stdout.splitlines()
    found = re.search(r"Reading .*digit_(\d)\.\w+, a (\d), with .*exports.*: (\d) \(", reading)
    assert found and found[1] == found[2] == found[3], reading
    assert "Right. Everything works" in verdict
    assert re.search(r"Done in [\d.]+ minutes$", last), last
    assert {path.name for path in (tmp_path / "exports").iterdir()} >= {"default.txt"}


def test_the_minimal_install_is_enough_for_the_camera_script(released_export, tmp_path):
    """In an environment of its own, with exactly what the README's command installs."""
    command = next(line for line in commands(ENGLISH) if "pip install numpy" in line)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
    installed = subprocess.run([python, *shlex.split(command)[1:], "-q"], capture_output=True, text=True)
    if "No matching distribution" in installed.stderr or "Could not find" in installed.stderr:
        pytest.skip("no package index can be reached")
    assert installed.returncode == 0, installed.stderr
    shutil.copytree(ROOT / "digits", tmp_path / "digits")
    shutil.copytree(ROOT / "data" / "samples", tmp_path / "data" / "samples")
    for name in ("realtime_multiformat.py", "train_all.py"):
        shutil.copy(ROOT / name, tmp_path)
    for folder in (released_export, ROOT / "exports" / "finder"):
        shutil.copytree(folder, tmp_path / "exports" / folder.name)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [python, *shlex.split(LIVE)[1:], *shlex.split(SHORTENED[LIVE])]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "tflite" in done.stderr and len(done.stdout.splitlines()) == 5
    done = subprocess.run([python, "train_all.py", "--bundle"], cwd=tmp_path, env=environment, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 0 and "digits_webcam.pyz" in done.stdout, done.stderr
    elsewhere = shutil.copy(next(tmp_path.glob("exports/*/*.pyz")), tmp_path / "venv")
    words = [python, "-I", elsewhere, "--source", "demo", "--headless", "--max-frames", "5"]
    done = subprocess.run(words, cwd=tmp_path / "venv", capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 5, done.stderr
    done = subprocess.run([python, "train_all.py", "--quick"], cwd=tmp_path, env=environment, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 1 and re.fullmatch(r"The package \w+ is not installed .*install -e .\n", done.stderr)


@pytest.mark.parametrize("script, page", [("realtime_multiformat.py", "live.md"), ("train_all.py", "training.md")])
def test_docs_name_every_option(script, page):
    told = run([sys.executable, script, "--help"]).stdout
    options = set(re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE)) - {"--help"}
    assert len(options) > 5
    assert not {option for option in options if f"`{option}" not in DOCS[page]}


def test_docs_name_every_hint_and_exit_status():
    assert all(f"{status} " in DOCS["live.md"].split("Exit status")[1] for status in (0, 2, 3, 4))
    assert not {hint for hint in Hint if f"`{hint}`" not in DOCS["live.md"]}


def test_the_readme_is_short():
    assert len(ENGLISH.splitlines()) <= 200


def test_the_spanish_page_keeps_step():
    for structure in (headings, commands, marks, table_rows, figures, code):
        assert structure(ENGLISH) == structure(SPANISH), structure.__name__


def headings(text):
    return [len(found) for found in re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)]


def marks(text):
    return re.findall(r"<!-- numbers:(\w+) -->", text)


def table_rows(text):
    """Return the number of cells of each row of each table; those that are filled in from results count too."""
    return [line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("|")]


def figures(text):
    """Return the numbers of a page, sorted: sentences may be in another order."""
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", text))


def code(text):
    """Return what stands in backticks, sorted; links and blocks are compared elsewhere."""
    return sorted(re.findall(r"`([^`\n]+)`", FENCE.sub("", text)))


def test_links_and_pictures_lead_somewhere():
    released = (ROOT / "exports" / "mobilenet_v2" / "card.json").is_file()
    for page in (ENGLISH, SPANISH, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for target in re.findall(r"\]\(([^)#]+)\)", FENCE.sub("", page)):
            recorded = target == "docs/live.webp"  # by benchmarks/make_live_picture.py, with the released model
            if "://" not in target and (released or not recorded):
                assert (ROOT / urllib.parse.unquote(target)).exists(), target
    for name, page in DOCS.items():
        for target in re.findall(r"\]\(([^)#:]+)[)#]", FENCE.sub("", page)):
            assert (ROOT / "docs" / urllib.parse.unquote(target)).exists(), (name, target)


def test_the_pages_for_teachers_keep_step_and_their_commands_are_the_readmes():
    pages = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("classroom.md", "classroom.es.md")]
    for structure in (headings, commands, figures, code):
        assert structure(pages[0]) == structure(pages[1]), structure.__name__
    known = [re.sub(r" (--session|scan) .*", r" \1", command) for command in commands(GUIDES)]
    told = [re.sub(r" (--session|scan) .*", r" \1", command) for command in commands(pages[0])]
    assert len(told) > 4 and {command.split(" --source")[0] for command in told} <= set(known)


def test_the_map_names_what_is_there():
    chapter = ENGLISH.split("## Where things are")[1].split("\n## ")[0]
    named = re.findall(r"^\| `([\w./]+)` \|", chapter, re.MULTILINE)
    assert {"train_all.py", "digits/reading/", "data/", "benchmarks/", "tests/"} <= set(named)
    for path in named:
        made_by_a_release = path in ("models/", "exports/")
        assert (ROOT / path).exists() or made_by_a_release, path


@pytest.mark.parametrize("way, wing", [("A frame's way", "reading"), ("A picture's way", "learning")])
def test_the_ways_through_the_code_lead_past_files_that_are_there(way, wing):
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([\w/]+\.py)`", contributing.split(way)[1].split("\n\n")[1]):
        assert (ROOT / name).is_file() or [*(ROOT / "digits" / wing).rglob(name)], name


@pytest.fixture(scope="module")
def script():
    return load("benchmarks/readme_numbers.py")


def test_numbers_are_those_of_the_results(script):
    results = script.Results()
    assert {"README.md", "README.es.md"} < set(script.PAGES)
    for name, language in script.PAGES.items():
        page = (ROOT / name).read_text(encoding="utf-8")
        assert page == script.fill(page, language, results, pending=True), "run python benchmarks/readme_numbers.py"
        inline = re.search("^<!-- numbers:.*<!-- /numbers -->", page, re.MULTILINE)
        assert not inline, f"a line that starts with a comment is not read as Markdown: {inline[0]}"


def test_numbers_are_filled_in_from_files(script, tmp_path):
    write_results(tmp_path)
    results = script.Results(tmp_path)
    names = ("mnist", "photos", "photos_usual", "size")
    page = " ".join(f"<!-- numbers:{name} -->x<!-- /numbers -->" for name in names)
    filled = re.findall(r"-->([^<]+)<!-- /", script.fill(page, "en", results))
    assert filled == ["99.71 %", "98.9 %", "31.5 %", "9.5 MB"]
    names = ("leaderboard", "real", "formats", "latency", "camera")
    tables = "".join(f"<!-- numbers:{name} -->\n<!-- /numbers -->\n" for name in names)
    english, spanish = (script.fill(tables, language, results) for language in ("en", "es"))
    assert "| `cnn_small` | all layers | random | 98.00 % (97.00–99.00) |" in english
    assert "| seen in training | seen in training | 99.50 % | 2,000,000 | 20 min |" in english
    assert "270 real photographs, 2 writers | 98.9 % (worst writer 97.8 %) | 31.5 %" in english
    assert "| `model.onnx` | 10.1 MB | 99.70 % | 2.3 ms | 30.5 ms | 3e-06 | OpenCV |" in english
    assert "| **the whole frame** | 5.5 ms | 18.0 ms |" in english
    assert "| Uneven light | 95.0 % | 20.0 % |" in english
    assert figures(english) == figures(spanish) and table_rows(english) == table_rows(spanish)
    assert script.fill(english, "en", results) == english


def test_the_nodes_of_an_archive_are_computed_from_what_was_measured():
    scale_tables = load("benchmarks/scale_tables.py")
    facts = {"ms": 20.0, "bytes_a_picture": 5000, "listing_us_a_picture": 2.0, "restart_bytes_a_picture": 128,
             "driver_ms_a_block": 64.0, "ray": {"bytes_a_row": 200, "cores": 2}, "plain_loop": {"ms": 18.0},
             "again": {"seconds": 16.0}}  # fmt: skip
    head, rows = scale_tables.plan(facts)
    small, large, huge = (dict(zip(head, row, strict=True)) for row in rows)
    assert small["One node of 32 cores"] == "104 minutes" and small["Nodes for one day"] == "1"
    assert small["Read"] == "50.0 GB" and small["Bottleneck"] == "the readers' cores" and small["Parts"] == "1"
    assert large["One node of 32 cores"] == "7 days" and large["Nodes for one day"] == "8"
    assert large["Driver"] == "18 hours" and large["A restart holds"] == "128.0 GB"
    assert (large["Bottleneck"], large["Parts"]) == ("opening files", "3") and huge["Parts"] == "211"
    facts["restart_bytes_a_picture"] *= 10
    assert scale_tables.plan(facts)[1][1][8:] == ["memory of a restart", "20"]
    assert scale_tables.pays_from(facts) == 2000


def test_a_missing_result_is_one_sentence(script, tmp_path):
    page = "a <!-- numbers:mnist -->99.9 %<!-- /numbers -->"
    with pytest.raises(script.MissingError, match="card.json is missing; run python train_all.py --release"):
        script.fill(page, "en", script.Results(tmp_path))
    assert "(pendiente)" in script.fill(page, "es", script.Results(tmp_path), pending=True)
    with pytest.raises(script.MissingError, match="no known number"):
        script.fill("<!-- numbers:luck -->1<!-- /numbers -->", "en", script.Results(tmp_path))


def test_what_a_run_took_is_taken_over_under_its_command(script, tmp_path):
    run, kept = tmp_path / "run.json", tmp_path / "benchmarks" / "results" / "whole_run.json"
    kept.parent.mkdir(parents=True)
    command = "python train_all.py --quick --out 'a b/c'"
    facts = {"minutes": 1.26, "peak_gb": 1.94, "from_nothing": True, "command": command}
    for minutes in (1.26, 2.34):
        run.write_text(json.dumps(facts | {"minutes": minutes}))
        script.take_over(run, kept)
    page = "<!-- numbers:quick_minutes -->x<!-- /numbers --> <!-- numbers:quick_memory -->x<!-- /numbers -->"
    assert re.findall(r"-->([^<]+)<!-- /", script.fill(page, "en", script.Results(tmp_path))) == ["2.3", "1.9 GB"]
    with pytest.raises(script.MissingError, match="lacks python train_all.py; run python train_all.py, then this"):
        script.fill("<!-- numbers:default_minutes -->x<!-- /numbers -->", "en", script.Results(tmp_path))
    run.write_text(json.dumps(facts | {"from_nothing": False}))
    with pytest.raises(script.MissingError, match="went on from an earlier one"):
        script.take_over(run, kept)
    with pytest.raises(script.MissingError, match="is no run.json"):
        script.take_over(tmp_path / "none.json", kept)


def write_results(folder):
    """Write the results files of a small world."""
    leaderboard = (
        "model,stage,no_camera,with_val,weights,augmentation,seed,images,params,train_seconds,val_accuracy,"
        "val_camera_accuracy,test_accuracy\n"
        "cnn_small,train,False,False,random,none,0,50000,231277,40,0.97,0.9,0.98\n"
        "cnn_small,train,False,False,random,none,1,50000,231277,60,0.99,0.9,0.98\n"
        "cnn_small,train,False,False,random,none,0,9000,231277,60,0.5,0.5,0.5\n"
        "mobilenet_v2,last_20,False,True,imagenet,camera,0,50000,2000000,1200,,,0.995\n"
    )
    files = {name: {"bytes": 9_534_548, "max_difference": 2.7e-06} for name in ("model.tflite", "model.onnx")}
    card = {"name": "mobilenet_v2", "metrics": {"test": {"accuracy": 0.9971}}, "files": files}
    photos = {"images": 270, "accuracy": 0.9889, "writers": {"writera": 0.978, "writerb": 1.0}}
    camera = {
        "clean": 0.99, "clean_usual_way": 0.3, "graded": {"light": [1.0, 0.9]}, "graded_usual_way": {"light": [0.2]},
        "photos": photos, "photos_usual_way": 0.3148, "sheets": {"f1": 0.991}, "non_digits": {"drawings": 0.01},
    }  # fmt: skip
    way = {"size_mb": 10.1, "accuracy": 0.997, "median_1_ms": 2.3, "median_20_ms": 30.5}
    step = {"find_ms": 2.0, "predict_ms": 3.0, "draw_ms": 0.5}
    latency = {"1_digits": step | {"whole_ms": 5.5}, "20_digits": step | {"whole_ms": 18.0},
               "cluttered_room": step | {"whole_ms": 9.0}, "usual_way_ms": 60.0,
               "first_reading_s": 0.61, "device": "x86_64 CPU, 2 cores"}  # fmt: skip
    formats = {"export": "mobilenet_v2", "formats": {"model.tflite": way, "model.onnx by cv2.dnn": way}}
    for name, content in {
        "models/leaderboard.csv": leaderboard,
        "exports/mobilenet_v2/card.json": json.dumps(card),
        "benchmarks/results/camera.json": json.dumps({"models": {"mobilenet_v2": camera}}),
        "benchmarks/results/formats.json": json.dumps(formats),
        "benchmarks/results/latency.json": json.dumps(latency),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
