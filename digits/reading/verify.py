"""Does an export folder still say what it said when it was made? `python -m digits.reading.verify exports/<name>`."""

import sys

from digits.reading.models.verify import main

if __name__ == "__main__":
    sys.exit(main())
