"""Reading and training on one small cluster of two nodes, which all tests share: killed drivers, workers and nodes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_up import page

pytest.importorskip("ray", reason='the cluster extra is not installed: pip install -e ".[cluster]"')
parquet = pytest.importorskip("pyarrow.parquet")

from digits.cluster.pictures import find_files
from digits.reading.images import load_image
from digits.reading.models.finder import load_finder
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader

ROOT = Path(__file__).parents[2]
PICTURES = 320
TRAIN = """
import sys
from dataclasses import replace
from digits.learning.experiment.config import RunConfig
quick = RunConfig.quick_run
RunConfig.quick_run = lambda **changes: replace(
    quick(**changes), limit=700, baseline_epochs=4
)
import train_all
sys.exit(train_all.main(["--quick", "--no-camera", "--models", "cnn_augmented", *sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def cluster():
    """A cluster of a head with three counted CPUs and a node with two; its processes are not niced away."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("RAY_AUTH_MODE", "disabled"), ("RAY_worker_niceness", "0"), ("PYTHONPATH", str(ROOT))):
            patch.setenv(name, value)
        from ray.cluster_utils import Cluster

        soon = {"health_check_period_ms": 1000, "health_check_failure_threshold": 5}  # a node counts as lost
        head = {"num_cpus": 3, "include_dashboard": False, "_system_config": soon}
        try:
            cluster = Cluster(initialize_head=True, head_node_args=head)
        except Exception as error:  # Ray gives itself 30 seconds, and raises no kind of its own
            if "timed out during startup" not in str(error):
                raise
            pytest.skip("this machine is too busy for Ray to start")
        yield cluster
        cluster.shutdown()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A folder of pictures, a page among them, and of files that are none."""
    folder = tmp_path_factory.mktemp("scans of änna")
    for number in range(PICTURES):
        picture = np.full((40, 40), 200 + number % 50, np.uint8)
        cv2.putText(picture, str(number % 10), (9, 31), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 40, 2, cv2.LINE_AA)
        (folder / str(number % 7)).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / str(number % 7) / f"{number}.png"), picture)
    cv2.imwrite(str(folder / "page #1.png"), page((2, 7, 3)))
    (folder / "torn.png").write_bytes(b"\x89PNG")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "gone.png").symlink_to(folder / "nowhere")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def plain(archive, released_export):
    """What the plain loop reads: path -> width, height, digits with boxes and confidences."""
    reader = Reader(load_model(released_export, threads=1), finder=load_finder(threads=1))
    found = {}
    for path in (*archive.glob("*/*.png"), archive / "page #1.png"):
        reading = reader.read(load_image(path))
        digits = [(*digit.box, digit.digit, np.float32(digit.confidence)) for digit in reading.digits]
        found[str(path)] = (*reading.size, digits)
    return found


def read(cluster, archive, released_export, output):
    command = [sys.executable, "-m", "digits.cluster", "read", "--input", str(archive), "--output", str(output)]
    command += ["--model", str(released_export), "--address", cluster.address]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(pattern, folder, process, files=1):
    """Return when so many files are there; fail where the process ends before."""
    while len(list(folder.glob(pattern))) < files:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)


def rows(output, table):
    """The rows of a table, and that no path has two."""
    (folder,) = output.glob(f"reader=*/table={table}")
    found = parquet.read_table(folder).to_pylist()
    assert len({row["path"] for row in found}) == len(found)
    return found


def same_as(plain, output, archive):
    """Check both tables of a run that is over."""
    found = {}
    for row in rows(output, "pictures"):
        digits = [(*digit["box"].values(), digit["digit"], np.float32(digit["confidence"])) for digit in row["digits"]]
        found[row["path"]] = row["width"], row["height"], digits
        assert sorted("".join(row["rows"]).replace(" ", "")) == sorted(str(digit[4]) for digit in digits)
        assert len(row["model_sha256"]) == 64
    assert found == plain and len(plain) == PICTURES + 1
    reasons = {row["path"]: row["reason"] for row in rows(output, "bad")}
    assert set(reasons) == {str(archive / name) for name in ("torn.png", "empty.jpg", "gone.png")}
    assert all(path in reason for path, reason in reasons.items())


def finish(process):
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stdout + stderr
    assert "Traceback" not in stderr
    return stdout


def test_a_lost_node_and_a_killed_driver_lose_no_row_and_write_none_twice(
    cluster, archive, plain, released_export, tmp_path
):
    node, files = cluster.add_node(num_cpus=2), "reader=*/table=pictures/*.parquet"
    process = read(cluster, archive, released_export, tmp_path)
    wait_for(files, tmp_path, process)
    cluster.remove_node(node, allow_graceful=False)
    before = len(list(tmp_path.glob(files)))
    wait_for(files, tmp_path, process, before + 2)  # by then something is read that the node had not
    process.kill()
    process.communicate()
    (noted,) = tmp_path.glob("_checkpoint/*")  # what a writer leaves that is killed midway
    (noted / "cut.pending.parquet").write_bytes(b"PAR1")
    (next(tmp_path.glob(files)).parent / "cut_0.parquet").write_bytes(b"PAR1")
    assert len(list(tmp_path.glob(files))) < PICTURES // 32, "killed midway"
    assert "pandas.read_parquet(" in finish(read(cluster, archive, released_export, tmp_path))
    same_as(plain, tmp_path, archive)


def test_a_training_whose_worker_is_killed_goes_on_and_comes_to_the_same(cluster, tmp_path):
    pytest.importorskip("tensorflow")
    from digits.learning.experiment.leaderboard import LEADERBOARD, read_leaderboard

    here, there = tmp_path / "here", tmp_path / "there"
    command = [sys.executable, "-c", TRAIN, "--custom", str(tmp_path / "custom")]
    (tmp_path / "custom").mkdir()
    environment = os.environ | {"TF_NUM_INTRAOP_THREADS": "2"}
    subprocess.run([*command, "--out", str(here)], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    for folder in ("merged", "models/cache"):
        shutil.copytree(here / folder, there / folder)
    process = subprocess.Popen([*command, "--out", str(there), "--cluster", cluster.address], cwd=ROOT, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    wait_for("models/cnn_augmented-no-camera/train.state.npz", there, process)
    names = {path: seen(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    (worker,) = (path.parent.name for path, name in names.items() if b"ray::cnn_augmented-no-camera whole" in name)
    os.kill(int(worker), signal.SIGKILL)
    assert re.search(r"train: continues after epoch [1-3]", finish(process))
    ours, theirs = (read_leaderboard(folder / "models" / LEADERBOARD) for folder in (here, there))
    same = {"train_seconds": 0, "latency_ms": 0, "command": ""}
    assert [replace(row, **same) for row in ours] == [replace(row, **same) for row in theirs] and len(ours) == 1


def seen(path):
    """The content of a file of /proc, whose process may have ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize(("running", "said"), [(True, "holds no pictures"), (False, "again after ray start --head")])
def test_no_pictures_and_no_cluster_are_one_sentence_each(cluster, released_export, tmp_path, running, said):
    command = [sys.executable, "-m", "digits.cluster", "read", "--input", str(tmp_path), "--output", f"{tmp_path}/out"]
    command += ["--address", cluster.address if running else "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr


def test_patterns_go_into_folders(archive):
    assert len(list(find_files(f"{archive}/[0-2]/*.png"))) == sum(number % 7 < 3 for number in range(PICTURES))
    assert len(list(find_files(f"{archive}/*.png"))) == PICTURES + 3
    assert list(find_files(f"{archive}/empty.jpg")) == [f"{archive}/empty.jpg"]
    with pytest.raises(FileNotFoundError):
        list(find_files(f"{archive}/nowhere"))
