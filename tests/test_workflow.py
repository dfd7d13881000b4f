"""The workflow that checks the three systems does what the pages say; it is only read here, not run."""

import re
import shlex
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[1]
JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))["jobs"]


def commands(job):
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_both_jobs_run_on_the_three_systems():
    assert set(JOBS) == {"camera", "tests"}
    for job in JOBS.values():
        systems = job["strategy"]["matrix"]["os"]
        assert [name.split("-")[0] for name in systems] == ["ubuntu", "windows", "macos"]
        assert job["runs-on"] == "${{ matrix.os }}" and job["strategy"]["fail-fast"] is False


def test_it_installs_and_reads_as_the_readme_says():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    install = next(line for line in readme.splitlines() if line.startswith("python -m pip install numpy"))
    ran = commands("camera")
    assert install in ran
    assert any(line.startswith("python realtime_multiformat.py --source demo --headless") for line in ran)
    verified = {line.split()[-1] for line in ran if line.startswith("python -m digits.reading.verify")}
    assert verified == {f"exports/{path.parent.name}" for path in ROOT.glob("exports/*/SHA256SUMS")
                        if path.parent.name != "taught"}  # fmt: skip
    assert 'python -m pip install -e ".[dev]"' in commands("tests") and '-e ".[dev]"' in readme


def test_what_it_names_is_there_and_the_pages_say_that_it_has_not_run():
    words = [word for job in JOBS for line in commands(job) for word in shlex.split(line)]
    paths = [word for word in words if "/" in word or re.search(r"\.(py|png)$", word)]
    assert len(paths) > 6 and not [path for path in paths if not (ROOT / path).exists()]
    assert "has not run yet" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
