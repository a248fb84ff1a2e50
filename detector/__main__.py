"""`python -m detector`: the same program as `sound-detector`."""

import sys

from detector.service.hangups import HANGUPS


def main() -> int:
    """Run one command and return the exit status."""
    HANGUPS.hold()  # a SIGHUP must not end a daemon that is still being loaded

    from detector.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
