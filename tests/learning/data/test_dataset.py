"""The merged dataset through its front door: what is written, where, what is left out, and what a second build does."""

import csv
import os
import shutil
import subprocess
import sys
from unittest.mock import DEFAULT, Mock

import cv2
import numpy as np
import pytest
from own_pictures import photo, save, small_mnist

from digits.learning.data import merge, merged_folder
from digits.learning.data.merge import build_merged, write_mnist_tiles
from digits.learning.data.merged_folder import DatasetError, load_index, load_split, read_tile
from digits.learning.data.splits import SPLITS
from digits.learning.dataset import main
from digits.learning.shared.lock import run_lock
from digits.learning.shared.progress import Report
from digits.paths import CUSTOM_DIR
from digits.reading.tile import normalise


@pytest.fixture(scope="module")
def mnist():
    return small_mnist(150, 30)


@pytest.fixture
def build(tmp_path, mnist):
    """A function that builds tmp_path/merged from tmp_path/custom and the small MNIST, and returns the summary."""
    (tmp_path / "custom").mkdir()

    def run(**changes):
        options = {"mnist": mnist, "workers": 1} | changes
        return build_merged(tmp_path / "custom", tmp_path / "merged", **options)

    return run


def own_rows(tmp_path) -> dict[str, dict]:
    return {row["original"]: row for row in load_index(tmp_path / "merged") if row["source"] == "custom"}


def own_splits(tmp_path) -> dict[str, set[str]]:
    """Return the splits that the pictures of each session are in."""
    splits = {}
    for row in own_rows(tmp_path).values():
        if not row["reason"]:
            splits.setdefault(row["session"], set()).add(row["split"])
    return splits


def test_mnist_becomes_tiles_in_four_splits(build, tmp_path, mnist):
    summary = build()
    sizes = {split: sum(counts.values()) for split, counts in summary.counts.items()}
    assert sizes == {"train": 130, "val": 15, "calibration": 5, "test": 30}
    assert sorted(os.listdir(tmp_path / "merged" / "train")) == list("0123456789")
    with open(tmp_path / "merged" / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) >= {"path", "label", "source", "session", "split", "sha256", "reason"}
    assert len(rows) == 180 and len({row["sha256"] for row in rows}) == 180
    tiles = load_split(tmp_path / "merged", "test")
    assert tiles.images.shape == (30, 96, 96) and tiles.images.dtype == np.uint8
    assert np.array_equal(tiles.labels, mnist.test_labels) and set(tiles.sources) == {"mnist"}
    assert np.array_equal(tiles.images[7], normalise(mnist.test_images[7]))
    assert tiles.paths[7] == "test/7/mnist_test_00007.png"
    picture = cv2.imread(str(tmp_path / "merged" / tiles.paths[7]), cv2.IMREAD_UNCHANGED)
    assert picture.dtype == np.uint8 and picture.shape[:2] == (96, 96) and picture.size == 96 * 96
    assert len(tiles.select(tiles.labels == 3)) == 3


def test_identical_pictures_of_mnist_are_never_in_two_splits(build, tmp_path, mnist):
    train = mnist.train_images.copy()
    train[:5] = mnist.test_images[:5]
    train[5:10] = train[10:15]
    summary = build(mnist=mnist._replace(train_images=train))
    assert sum(sum(counts.values()) for counts in summary.counts.values()) == 170
    assert sum(summary.counts["test"].values()) == 30
    seen = [row["sha256"] for row in load_index(tmp_path / "merged")]
    assert len(seen) == len(set(seen))


def test_limit_takes_a_share_of_each_split_and_leaves_membership(build, tmp_path):
    def membership():
        return {row["sha256"]: row["split"] for row in load_index(tmp_path / "merged")}

    build()
    whole = membership()
    mine = save(tmp_path / "merged" / "train" / "0" / "mine.png", photo(0, 0))
    build(limit=90)
    half = membership()
    assert mine.exists(), "no tile of ours, so none to remove"
    assert 85 <= len(half) <= 95 and half.items() <= whole.items()
    build(limit=40)
    assert membership().items() <= half.items()
    assert build(limit=40).written == 0


def test_second_build_writes_nothing_and_a_third_only_what_changed(build, tmp_path):
    changing = save(tmp_path / "custom" / "ana" / "3" / "a.png", photo(3, 1))
    save(tmp_path / "custom" / "ana" / "4" / "b.png", photo(4, 2))
    build()
    index = tmp_path / "merged" / "index.csv"
    before = index.stat().st_mtime_ns
    again = build()
    assert (again.written, again.removed) == (0, 0) and index.stat().st_mtime_ns == before

    (tmp_path / "merged" / "test" / "7" / "mnist_test_00007.png").unlink()
    (tmp_path / "merged" / "test" / "8" / "mnist_test_00008.png").write_bytes(b"")
    with pytest.raises(DatasetError, match="mnist_test_00007.png is missing or damaged"):
        load_split(tmp_path / "merged", "test")
    assert build().written == 2
    save(changing, photo(3, 5))
    save(tmp_path / "custom" / "ana" / "5" / "c.png", photo(5, 3))
    summary = build()
    assert (summary.written, summary.removed) == (2, 1)
    changing.unlink()
    summary = build()
    assert (summary.written, summary.removed) == (0, 1)
    assert set(own_rows(tmp_path)) == {"ana/4/b.png", "ana/5/c.png"}


def test_another_rule_for_tiles_makes_all_of_them_anew(build, monkeypatch):
    build()
    monkeypatch.setattr(merged_folder, "TILE_RULE", -1)
    assert build().written == 180


def test_build_cut_off_is_noticed_and_continued(build, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(merge, "MNIST_CHUNK", 100)
        first_call_works = Mock(wraps=write_mnist_tiles, side_effect=[DEFAULT, KeyboardInterrupt])
        patch.setattr(merge, "write_mnist_tiles", first_call_works)
        with pytest.raises(KeyboardInterrupt):
            build()
    with pytest.raises(DatasetError, match="not to the end; run python -m digits.learning.dataset"):
        load_split(tmp_path / "merged", "train")
    half = tmp_path / "merged" / "train" / "3" / ".tmp-1-mnist_train_00003.png"
    half.write_bytes(b"half")
    assert build().written == 80 and not half.exists()
    assert len(load_split(tmp_path / "merged", "train")) == 130


def test_whatever_is_wrong_with_a_picture_is_listed_and_nothing_stops(build, tmp_path, mnist):
    plain = photo(7, 1)
    files = {  # what each holds, and why it is left out
        "ana/7/copy.png": (plain, ""),
        "ana/7/good.png": (plain, "duplicate: of ana/7/copy.png"),
        "ana/7/same pixels.bmp": (plain, "duplicate: of ana/7/copy.png"),
        "ana/7/empty.jpg": (b"", "empty: "),
        "ana/7/text.jpg": (b"not a picture", "unreadable: "),
        "ana/7/phone.heic": (b"some other format", "unreadable: "),
        "ana/7/scan.tif": (plain, "unsupported: "),
        "ana/7/blank.png": (np.full_like(plain, 220), "blank: "),
        "ana/sevn/a.png": (photo(7, 2), "misplaced: the folder sevn names no digit; expected <session>/<digit"),
        "ana/sevn/b.png": (photo(7, 12), "misplaced: the folder sevn names no digit; expected <session>/<digit"),
        "loose.png": (photo(7, 3), "misplaced: it lies in no folder"),
        "3/a.png": (photo(3, 3), "misplaced: the folder 3 lies in no session"),
        "ana/10/ten.png": (photo(1, 3), "misplaced: the folder 10 names no digit"),
        "class.zip": (b"PK", "unsupported: unpack it here, or name it with --custom"),
        "ana/1/one or.png": (photo(1, 4), "duplicate: the same picture has another label as bea/7/seven.png"),
        "bea/7/seven.png": (photo(1, 4), "duplicate: the same picture has another label as ana/1/one or.png"),
        "ana/2/not this.png": (photo(2, 4), "excluded: "),
        "ana/5/from mnist.png": (mnist.test_images[5], "duplicate: of MNIST's test picture 5"),
        "ana/set_aside/7/sheet-looks-like-1.png": (photo(7, 5), "set aside: "),
        "ana/set_aside/loose.png": (photo(7, 6), "set aside: "),
    }
    for name, (content, _) in files.items():
        save(tmp_path / "custom" / name, content)
    save(tmp_path / "custom" / "ana" / "7" / "good.json", b"{}")
    save(tmp_path / "custom" / "exclude.txt", b"# not these\nana/2/not this.png\n")
    summary = build(report=[].append)
    reasons = {name: row["reason"] for name, row in own_rows(tmp_path).items()}
    assert reasons.keys() == files.keys() and [name for name in reasons if not reasons[name]] == ["ana/7/copy.png"]
    assert not {name: reasons[name] for name, (_, reason) in files.items() if not reasons[name].startswith(reason)}
    assert summary.left_out["duplicate"] == 5 and summary.left_out["misplaced"] == 5
    assert "19 left out, see index.csv: 5 misplaced, 5 duplicate, 2 " in summary.line() and "\n" not in summary.line()
    named = "\n".join(summary.lines()[1:5])
    assert "  ana/sevn/ (2 pictures) left out, misplaced: " in named and "is seven meant?" in named, named
    assert "exclude" not in "\n".join(summary.lines()[1:]), "what a person chose needs no line"
    assert len(list((tmp_path / "merged").glob("*/*/custom_*"))) == 1


def test_of_many_pictures_left_out_the_first_are_named(build, tmp_path):
    for number in range(25):
        save(tmp_path / "custom" / "ana" / "7" / f"{number:02d}.png", b"no picture")
    _, *lines = build().lines()
    assert len(lines) == 21 and lines[0].startswith("  ana/7/00.png left out, unreadable: ")
    assert lines[-1] == f"  ... and 5 more; all are in {tmp_path / 'merged' / 'index.csv'}"


@pytest.mark.parametrize(("folder", "session"), [
    ("ana/07", "ana"), ("ana/ 7", "ana"), ("ana/siete", "ana"), ("ana/Seven", "ana"), ("ana/SIETE ", "ana"),
    ("3B/ana/7", "3B/ana"), ("ana/\uff17", "ana"), ("test/ana/7", "test/ana"),
])  # fmt: skip
def test_folders_whose_digit_is_beyond_doubt_are_taken(build, tmp_path, folder, session):
    save(tmp_path / "custom" / folder / "a.png", photo(7, 2))
    build()
    (row,) = own_rows(tmp_path).values()
    assert (row["label"], row["session"], row["reason"]) == ("7", session, "")
    assert row["split"] == "test" or not folder.startswith("test")


def test_a_picture_left_out_comes_back_when_its_twin_goes(build, tmp_path):
    first = save(tmp_path / "custom" / "ana" / "7" / "a.png", photo(7, 1))
    save(tmp_path / "custom" / "ana" / "7" / "b.png", photo(7, 1))
    build()
    assert own_rows(tmp_path)["ana/7/b.png"]["reason"].startswith("duplicate")
    build()
    first.unlink()
    build()
    row = own_rows(tmp_path)["ana/7/b.png"]
    assert row["reason"] == "" and (tmp_path / "merged" / row["path"]).is_file()


def test_kinds_of_files_give_the_tile_of_the_plain_picture(build, tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    custom, plain = tmp_path / "custom", photo(7, 1)
    save(custom / "a" / "7" / "plain.png", plain)
    save(custom / "b" / "7" / "deep.png", plain.astype(np.uint16) * 257)
    ink = 255 - cv2.threshold(plain, 120, 255, cv2.THRESH_BINARY)[1]
    save(custom / "c" / "7" / "alpha.png", np.dstack([np.zeros((240, 320, 3), np.uint8), ink]))
    pillow.fromarray(plain).convert("CMYK").save(custom / "a" / "7" / "cmyk.jpg", quality=95)
    turned = pillow.fromarray(np.ascontiguousarray(np.rot90(plain)))
    exif = turned.getexif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    turned.save(custom / "a" / "7" / "turned.jpg", exif=exif, quality=95)
    build()
    rows = own_rows(tmp_path).values()
    assert {row["reason"] for row in rows} == {"", "duplicate: of a/7/plain.png"}  # the deep one has equal pixels
    tiles = [read_tile(tmp_path / "merged" / row["path"]).astype(int) for row in rows if not row["reason"]]
    assert len(tiles) == 4 and all(np.abs(tile - tiles[0]).mean() < 6 for tile in tiles)


def _session(custom, name, seeds):
    for seed in seeds:
        save(custom / name / str(seed % 10) / f"{seed:03d}.png", photo(seed % 10, seed))


def smaller(picture):
    return cv2.resize(picture, (280, 210), interpolation=cv2.INTER_AREA)


def test_with_few_sessions_images_are_divided_and_never_move(build, tmp_path):
    custom = tmp_path / "custom"
    _session(custom, "ana", range(30))
    summary = build()
    assert summary.same_writer and "same writer" in summary.line()
    before = {name: row["split"] for name, row in own_rows(tmp_path).items()}
    assert set(before.values()) == {"train", "val", "test"}
    _session(custom, "bea", range(100, 120))
    build()
    after = {name: row["split"] for name, row in own_rows(tmp_path).items()}
    assert before.items() <= after.items()
    assert set(load_split(tmp_path / "merged", "test").sources) == {"mnist", "custom"}


def test_near_duplicates_stay_together_and_follow_the_older_one(build, tmp_path):
    custom = tmp_path / "custom"
    _session(custom, "ana", range(12))
    build()
    before = {name: row["split"] for name, row in own_rows(tmp_path).items()}
    copies = {f"ana/{k % 10}/{k:03d}.png": f"ana/{k % 10}/{'a' if k % 2 else 'z'}{k}.jpg" for k in range(12)}
    for seed, copy in enumerate(copies.values()):
        save(custom / copy, smaller(photo(seed % 10, seed)), [cv2.IMWRITE_JPEG_QUALITY, 70])
    build()
    rows = own_rows(tmp_path)
    assert all(rows[old]["split"] == rows[new]["split"] == before[old] for old, new in copies.items())


def test_with_five_sessions_whole_sessions_go_to_a_split(build, tmp_path):
    custom = tmp_path / "custom"
    for number in range(12):
        _session(custom, f"writer {number}", range(10 * number, 10 * number + 3))
    summary = build()
    splits = own_splits(tmp_path)
    assert all(len(found) == 1 for found in splits.values())
    assert set().union(*splits.values()) == {"train", "val", "test"}
    assert not summary.same_writer
    held_out, trained = (next(name for name in splits if splits[name] == {split}) for split in ("test", "train"))
    save(custom / trained / "0" / "again.png", smaller(photo(0, 10 * int(held_out.split()[1]))))
    build()
    assert own_rows(tmp_path)[f"{trained}/0/again.png"]["reason"].startswith(f"near-duplicate: of {held_out}/0/")


def test_given_splits_are_kept_and_corrections_always_train(build, tmp_path):
    custom = tmp_path / "custom"
    _session(custom, "Train", range(10))
    _session(custom, "TEST", range(10, 20))
    _session(custom, "taught-2024-05-01", range(20, 35))
    save(custom / "Train" / "3" / "leak.png", smaller(photo(3, 13)))
    summary = build()
    assert own_splits(tmp_path) == {"Train": {"train"}, "TEST": {"test"}, "taught-2024-05-01": {"train"}}
    assert own_rows(tmp_path)["Train/3/leak.png"]["reason"] == "near-duplicate: of TEST/3/013.png in test"
    assert not summary.same_writer


def test_any_name_of_a_session_is_a_safe_file_name(build, tmp_path):
    names = ["Señora Núñez 3º", "a..dots..", "3B / clase".replace("/", "-"), "漢字", "x" * 120]
    for seed, name in enumerate(names):
        save(tmp_path / "custom" / name / "4" / "Ä b.PNG", photo(4, seed))
    build()
    rows = own_rows(tmp_path)
    assert {row["session"] for row in rows.values()} == set(names)
    for row in rows.values():
        file = row["path"].split("/")[-1]
        assert row["reason"] == "" and file.isascii() and len(file) < 90 and " " not in file and ".." not in file
        assert (tmp_path / "merged" / row["path"]).is_file()


def test_the_shipped_session_merges(build, tmp_path):
    shipped = CUSTOM_DIR / "rendered-session"
    if not shipped.is_dir():
        pytest.skip("data/custom/rendered-session was deleted")
    shutil.copytree(shipped, tmp_path / "custom" / shipped.name)
    summary = build()
    kept = [row for row in own_rows(tmp_path).values() if not row["reason"]]
    assert {row["label"] for row in kept} == set("0123456789")
    assert len(kept) > 9 * sum(summary.left_out.values())


def test_several_processes_write_the_same_tiles(build, tmp_path, mnist, monkeypatch):
    monkeypatch.setattr(merge, "MNIST_CHUNK", 50)
    monkeypatch.setattr(merge, "_WORTH_A_POOL_S", 0)
    seen = []

    class Seen(Report):
        def advance(self, title, done, total):
            seen.append((done, total))

    build(workers=2, report=Seen())
    assert seen[-1] == (180, 180)
    assert np.array_equal(load_split(tmp_path / "merged", "test").images[3], normalise(mnist.test_images[3]))


def test_wrong_folders_are_refused_in_a_sentence(build, tmp_path, mnist, monkeypatch, capsys):
    with pytest.raises(DatasetError, match="lie in each other"):
        build_merged(tmp_path / "custom", tmp_path / "custom" / "merged", mnist=mnist)
    with pytest.raises(DatasetError, match="not built"):
        load_split(tmp_path / "nothing", "train")
    monkeypatch.setattr(merge, "load_mnist", lambda *arguments: mnist)
    assert main(["--custom", str(tmp_path / "missing"), "--out", str(tmp_path / "merged")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert main(["build", "--custom", str(tmp_path / "custom"), "--out", str(tmp_path / "merged")]) == 0
    assert "train 130" in capsys.readouterr().out


def test_dataset_never_imports_tensorflow():
    code = "import digits.learning.dataset, sys; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_both_keras_readers_read_the_result(build, tmp_path):
    save(tmp_path / "custom" / "ana" / "7" / "a.png", photo(7, 1))
    build()
    keras = pytest.importorskip("keras")
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    options = {"color_mode": "grayscale", "shuffle": False, "batch_size": 16}
    for split in SPLITS:
        folder, tiles = tmp_path / "merged" / split, load_split(tmp_path / "merged", split)
        flow = ImageDataGenerator().flow_from_directory(folder, target_size=(96, 96), class_mode="sparse", **options)
        assert flow.samples == len(tiles) and list(flow.class_indices) == list("0123456789")
        images, labels = next(flow)
        expected = {path.split("/", 1)[1]: image for path, image in zip(tiles.paths, tiles.images, strict=True)}
        first = flow.filenames[0].replace(os.sep, "/")
        assert np.array_equal(images[0, :, :, 0], expected[first]) and int(labels[0]) == int(first[0])
        read = keras.utils.image_dataset_from_directory(folder, image_size=(96, 96), **options)
        assert read.class_names == list("0123456789")
        assert sum(len(batch[1]) for batch in read) == len(tiles)


def test_ctrl_c_is_one_sentence(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("digits.learning.dataset.build_merged", interrupted)
    assert main(["--custom", str(tmp_path), "--out", str(tmp_path / "merged")]) == 130
    assert capsys.readouterr().err == "Stopped. The same command goes on from here.\n"


def test_a_second_merge_into_the_same_folder_says_so_and_stops(tmp_path, capsys):
    (tmp_path / "custom").mkdir()
    with run_lock(tmp_path / "merged"):
        assert main(["--custom", str(tmp_path / "custom"), "--out", str(tmp_path / "merged"), "--limit", "100"]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert "another run is writing to" in err and "merged" in err and os.listdir(tmp_path / "merged") == [".lock"]
