"""Which export is used when none is named."""

import zipfile
from pathlib import Path

from digits.paths import PACKAGE_ROOT
from digits.reading.models.card import CARD
from digits.reading.models.errors import ModelError

DEFAULT_NAME = "mobilenet_v2"
DEFAULT_FILE = "default.txt"  # in exports/: names of folders there, one a line; the first one that exists is used
FINDER = "finder"  # in exports/: the network that finds digits, which reads none
BUNDLED_FINDER = "finder/"
BUNDLED = "model/"  # where a bundle (learning/bundle.py) keeps its model


def default_export() -> Path:
    """Return the export folder used when none is named.

    It is the one that `exports/default.txt` names (see `default_in`); in a bundle (`digits_webcam.pyz`) the one inside.
    """
    if PACKAGE_ROOT.is_file():
        return zipfile.Path(PACKAGE_ROOT, BUNDLED)
    roots = [PACKAGE_ROOT / "exports", Path.cwd() / "exports"]
    root = next((root for root in roots if root.is_dir()), None)
    if root is None:
        raise ModelError("no folder exports/ was found; name a model with --model, or make one with "
                         "python train_all.py --quick.")
    return default_in(root)


def default_in(exports_dir: Path) -> Path:
    """Return the default export of a folder of exports.

    It is the first one named in its default.txt that exists (`train_all.py --teach` names the taught one before the
    release), else `mobilenet_v2`, else the only one there.

    Raises:
        ModelError: if there is none, or several and no default.
    """
    named = exports_dir / DEFAULT_FILE
    if named.is_file():
        names = named.read_text(encoding="utf-8", errors="replace").split("\n")
        names = [name.strip() for name in names if name.strip()]
        inside = [name for name in names if name == Path(name).name != ".."]
        found = next((name for name in inside if (exports_dir / name).is_dir()), None)
        if found is None:
            raise ModelError(f"{named} names {', '.join(names) or 'nothing'}, which is no folder there; name a model "
                             "with --model.")
        return exports_dir / found
    if (exports_dir / DEFAULT_NAME).is_dir():
        return exports_dir / DEFAULT_NAME
    folders = [card.parent for card in sorted(exports_dir.glob(f"*/{CARD}")) if card.parent.name != FINDER]
    if len(folders) != 1:
        raise ModelError(f"{exports_dir} holds {len(folders)} exports and no default; name one with --model.")
    return folders[0]
