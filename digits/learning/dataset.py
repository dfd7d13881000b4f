"""MNIST and the user's own images become one folder of tiles, data/merged/, with fixed splits and an index.

    python -m digits.learning.dataset [build] [--custom DIR|ZIP] [--out DIR] merge; only what changed is written
    python -m digits.learning.dataset audit [--page FILE]                        one HTML page about the own images

data/merged/ can be deleted at any time: everything in it is made from data/raw/ and data/custom/.
"""

import argparse
import sys
from pathlib import Path

from digits.files import drop_stdout, printable
from digits.learning.data.audit import write_page
from digits.learning.data.class_zip import UNPACKED, own_folder
from digits.learning.data.merge import build_merged
from digits.learning.data.merged_folder import BUILD_COMMAND, DatasetError
from digits.learning.shared.download import DownloadError
from digits.learning.shared.errors import RunError
from digits.learning.shared.progress import Console
from digits.outputs import say
from digits.paths import CUSTOM_DIR, MERGED_DIR, RUNS_DIR

AUDIT_PAGE = RUNS_DIR / "audit.html"


def main(arguments: list[str] | None = None) -> int:
    """Build the merged dataset, or write the audit page; return the exit status."""
    parser = argparse.ArgumentParser(prog=BUILD_COMMAND, description=__doc__.split("\n")[0])
    parser.add_argument("command", nargs="?", choices=("build", "audit"), default="build")
    parser.add_argument("--custom", type=Path, default=CUSTOM_DIR, metavar="DIR|ZIP", help="the own images")
    parser.add_argument("--out", type=Path, default=MERGED_DIR, metavar="DIR", help="the merged folder")
    parser.add_argument("--limit", type=int, metavar="N", help="use about N pictures of MNIST")
    parser.add_argument("--page", type=Path, default=AUDIT_PAGE, metavar="FILE", help="where audit writes its page")
    options = parser.parse_args(arguments)
    try:
        with Console(stderr=True, timed=False) as report:
            custom = own_folder(options.custom, RUNS_DIR / UNPACKED)
            summary = build_merged(custom, options.out, options.limit, report)
        print("\n".join(map(printable, summary.lines())), flush=True)
        if options.command == "audit":
            page = write_page(custom, options.out, options.page)
            print(printable(f"Audit: open {page} in a browser."), flush=True)
    except (DatasetError, DownloadError, RunError, OSError) as error:
        if isinstance(error, OSError):
            if not error.filename:  # of files all errors have one
                drop_stdout()
            error = f"{error.filename or 'Standard output'} cannot be read or written: {error.strerror or error}."
        say(error)
        return 2
    except KeyboardInterrupt:
        say("Stopped. The same command goes on from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
