"""Renew the golden pictures of exports: `python -m digits.learning.export exports/<name>`."""

import argparse
import sys
from pathlib import Path

from digits.files import in_words, printable
from digits.learning.export.exporting import ExportError, renew_golden
from digits.outputs import say


def main(arguments: list[str] | None = None) -> int:
    """Renew the golden pictures of the exports named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m digits.learning.export", description=renew_golden.__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="an export folder, such as exports/mobilenet_v2")
    sys.stdout.reconfigure(errors="backslashreplace")  # a cp1252 console cannot write every path
    for folder in parser.parse_args(arguments).folder:
        try:
            renew_golden(folder, lambda line: print(printable(line)))
        except (ExportError, OSError) as error:
            say(in_words(error))
            return 1
        print(f"{printable(folder)}: golden pictures renewed and every file checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
