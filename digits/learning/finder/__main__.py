"""Fit decoding and score of the finder again, after the default model changed: python -m digits.learning.finder."""

import argparse
import json

from digits.learning.finder.stage import refit
from digits.paths import EXPORTS_DIR
from digits.reading.models.default import FINDER

if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m digits.learning.finder", description=__doc__).parse_args()
    print(json.dumps(refit(EXPORTS_DIR / FINDER, print), indent=1))
