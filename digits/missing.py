"""A package that is not installed ends a program of this project in one sentence: which, where, and what to type."""

import sys
from pathlib import Path
from types import TracebackType

# What is installed under another name than it is imported by.
_PACKAGES = {"cv2": "opencv-python", "sklearn": "scikit-learn", "ai_edge_litert": "ai-edge-litert", "PIL": "pillow"}
# What needs NumPy, OpenCV and a runtime alone.
_LIGHT = ("realtime_multiformat.py", "digits_webcam.pyz", "digits.reading", "digits.page",
          "digits.learning.export.bundle", "--bundle")
_SCRIPTS = ("train_all.py", "realtime_multiformat.py", "digits_webcam.pyz")


def sentence(error: ImportError) -> str:
    """Return what is missing and what to type."""
    name = (error.name or "").split(".")[0]
    if not isinstance(error, ModuleNotFoundError):  # it is there, but what it links to is not
        what = f"{_PACKAGES.get(name, name) or 'A package'} cannot be loaded: {error}."
        if ".so" in str(error):
            return f"{what} On Debian and Ubuntu: sudo apt install libgl1 libglib2.0-0"
        return f"{what} Install it anew: {sys.executable} -m pip install --force-reinstall {_PACKAGES.get(name, name)}"
    package = _PACKAGES.get(name, name)
    light = any(word.endswith(part) or word.startswith(part) for word in sys.orig_argv[1:] for part in _LIGHT)
    packages = "numpy opencv-python ai-edge-litert" if light else "-e ."
    return f"The package {package} is not installed in this Python; type: {sys.executable} -m pip install {packages}"


def explain_missing_packages() -> None:
    """Let programs of this project, and no others, say one sentence in place of a traceback when a package is missing.

    Programs are its scripts and `python -m digits...`; what merely imports `digits` sees the error itself.
    """
    module = sys.orig_argv[sys.orig_argv.index("-m") + 1] if "-m" in sys.orig_argv[:-1] else ""
    if Path(sys.argv[0]).name in _SCRIPTS or (sys.argv[0] == "-m" and module.split(".")[0] == "digits"):
        sys.excepthook = _say


def _say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    own = isinstance(error, ImportError) and (error.name or "").split(".")[0] != "digits"  # ours missing: a real fault
    if own:
        print(sentence(error), file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
