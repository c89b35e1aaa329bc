"""``python -m csat`` is the command ``csat``."""

import sys

from csat.cli import main

if __name__ == "__main__":
    sys.exit(main())
