"""Fit decoding and score of the finder again, after the default model changed: python -m digits.learning.finder."""

import argparse
import json
import os
import sys

from digits.files import in_words
from digits.learning.shared.download import DownloadError
from digits.learning.shared.silence import load_tensorflow
from digits.outputs import say
from digits.paths import EXPORTS_DIR
from digits.reading.models.default import FINDER
from digits.reading.models.errors import ModelError


def main() -> int:
    """Fit, write the card, print the numbers; return the exit status."""
    argparse.ArgumentParser(prog="python -m digits.learning.finder", description=__doc__).parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    load_tensorflow()
    from digits.learning.finder.stage import refit

    try:
        print(json.dumps(refit(EXPORTS_DIR / FINDER, print), indent=1))
    except (DownloadError, ModelError, OSError) as error:
        say(in_words(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
