"""Where things lie: the checkout, its data, models, exports and runs."""

from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[1]  # what the package lies in: a checkout, a folder, or a bundle's file


def project_root() -> Path:
    """Return the checkout this package lies in, or the working folder when it was installed without one."""
    return PACKAGE_ROOT if (PACKAGE_ROOT / "pyproject.toml").is_file() else Path.cwd()


ROOT = project_root()
DATA_DIR = ROOT / "data"
RAW_DIR = DATA_DIR / "raw"
CUSTOM_DIR = DATA_DIR / "custom"
MERGED_DIR = DATA_DIR / "merged"
SAMPLES_DIR = DATA_DIR / "samples"
MODELS_DIR = ROOT / "models"
EXPORTS_DIR = ROOT / "exports"
RUNS_DIR = ROOT / "runs"
DEMO_CLIP = PACKAGE_ROOT / "data" / "samples" / "demo.mp4"
