"""`python -m detector`: the same program as `sound-detector`."""

import os
import sys

from detector.service.hangups import HANGUPS


def use_one_thread() -> None:
    """Let numpy compute on one thread, unless the user says otherwise; before numpy is imported.

    Matrix products are small here. On several threads they are no faster, and the threads' waiting doubles
    the CPU time.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> int:
    """Run one command and return the exit status."""
    HANGUPS.hold()  # a SIGHUP must not end a daemon that is still being loaded
    use_one_thread()

    from detector.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
