"""`python -m detector`: the same program as `sound-detector`."""

import sys

from detector.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
