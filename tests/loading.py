"""Scripts of this repository as modules, for tests that call their functions."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def load(script: str) -> ModuleType:
    """Return a script, such as "benchmarks/readme_numbers.py", as a module."""
    path = ROOT / script
    sys.path += [] if str(path.parent) in sys.path else [str(path.parent)]  # as Python does for a script
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)  # dataclasses look it up there
    spec.loader.exec_module(module)
    return module
