"""Read an archive of pictures with Ray, on this machine or on a cluster.

    python -m digits.cluster read --input FOLDER|GLOB|PARQUET|s3://... --output FOLDER [--model FILE] [--address auto]

The same command goes on where it was cut off. Exit status: 0 done, 1 cannot go on, 2 bad arguments, 4 no model.
"""

import argparse
import sys
from pathlib import Path

from digits.cluster.connect import HERE, SPARE_CPUS, cluster, require_ray
from digits.files import in_words
from digits.learning.shared.errors import RunError
from digits.learning.shared.progress import Console
from digits.reading.models.errors import ModelError


def main(arguments: list[str] | None = None) -> int:
    """Read pictures; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m digits.cluster", description=__doc__.splitlines()[0])
    read = parser.add_subparsers(required=True, metavar="read").add_parser("read", help="read pictures into Parquet")
    read.add_argument("--input", required=True, metavar="FOLDER|GLOB|PARQUET|URL", help="the pictures")
    read.add_argument("--output", required=True, metavar="FOLDER", help="where the tables go; seen by all machines")
    read.add_argument("--model", type=Path, metavar="FILE|FOLDER", help="default: the released model")
    read.add_argument("--address", default=HERE, metavar="auto|HOST:PORT", help="a cluster (default: this machine)")
    options = parser.parse_args(arguments)
    with Console() as report:
        try:
            require_ray("python -m digits.cluster")
            with cluster(options.address, SPARE_CPUS) as readers:
                from digits.cluster.read import read_pictures

                tables = read_pictures(options.input, options.output, options.model, readers, report)
                for folder, count in tables.items():
                    report(f"{count:,} rows: pandas.read_parquet({folder!r})")
        except KeyboardInterrupt:
            report.error("Stopped. The same command goes on from here.")
            return 130
        except (RunError, ModelError, OSError) as error:
            report.error(in_words(error))
            return 4 if isinstance(error, ModelError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
