"""The built page that is kept is what web/ builds."""

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_build_gives_the_page_that_is_kept(tmp_path):
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("no npm to build the page with")
    web = tmp_path / "web"
    shutil.copytree(ROOT / "web", web, ignore=shutil.ignore_patterns("node_modules"))
    done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=web, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm installs nothing here: {done.stderr.strip().splitlines()[-1:]}")
    subprocess.run([npm, "run", "build", "--", str(tmp_path / "page")], cwd=web, check=True, capture_output=True)
    kept, made = ROOT / "exports" / "page", tmp_path / "page"
    assert sorted(os.listdir(kept)) == sorted(os.listdir(made))
    for path in kept.iterdir():
        contents = [folder.joinpath(path.name).read_bytes() for folder in (kept, made)]
        if path.suffix == ".gz":  # zlib's versions pack differently
            contents = [gzip.decompress(content) for content in contents]
        assert contents[0] == contents[1], f"{path.name}: npm ci && npm run build in web/, and keep what it writes"
