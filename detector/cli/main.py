"""The program `sound-detector`: reads the command line, runs one command, ends with its exit status.

0 is success, 1 a failure while running, 2 a fault in the command line or the configuration;
every failure is one line on standard error, with a traceback only under -vv.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from collections.abc import Sequence

from detector.cli.logs import set_up_logging
from detector.cli.parser import COMMANDS, make_parser, with_command
from detector.cli.setting_options import setting_options
from detector.errors import ConfigError, DetectorError
from detector.files.terminal import print_escaped
from detector.service.hangups import HANGUPS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 gets escapes, no traceback
            stream.reconfigure(errors="backslashreplace")
    options = make_parser().parse_args(with_command(sys.argv[1:] if arguments is None else arguments))
    set_up_logging(options.verbose, quiet=getattr(options, "quiet", False))
    command = next(command for command in COMMANDS if command.name == options.command)
    if command.name != "run":
        HANGUPS.release()
    try:
        if shell := getattr(options, "print_completion", None):
            return _print_completion(shell)
        status = command.execute(command.request(options), setting_options(options))
        sys.stdout.flush()  # a full disk is still told here; at exit it would be a traceback
        return status
    except DetectorError as error:
        if options.verbose > 1:
            logging.getLogger("detector").exception("traceback")
        for line in str(error).splitlines():
            print_escaped(f"sound-detector: {line}", sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except MemoryError:
        print(
            "sound-detector: out of memory: process less at a time, for example with --jobs 1",
            file=sys.stderr,
        )
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, not even at exit.
        _leave_stdout()
        return 0
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            line = f"the output cannot be written: {error.strerror}; make room"
            _leave_stdout()
        elif error.filename is not None:  # a file in a folder that this user may not enter, a name too long
            line = f"{os.fsdecode(error.filename)}: {error.strerror}"
        else:
            raise
        if options.verbose > 1:
            logging.getLogger("detector").exception("traceback")
        print_escaped(f"sound-detector: {line}", sys.stderr)
        return 1


def _open_closed_streams() -> None:
    """Put /dev/null where the program was started without a standard stream, as with `>&-`.

    Otherwise a socket or a file would get its number, and be written to by whatever writes there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, "r" if number == 0 else "w"))  # noqa: SIM115, PTH123


def _leave_stdout() -> None:
    """Let nothing that is still held back for standard output fail at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_completion(shell: str) -> int:
    try:
        import shtab
    except ImportError as error:
        raise DetectorError(
            "shell completion needs shtab; install it with: pip install 'sound-detector[completion]'"
        ) from error
    if shell not in shtab.SUPPORTED_SHELLS:
        raise ConfigError(
            f"--print-completion: expected {' or '.join(shtab.SUPPORTED_SHELLS)}, got {shell!r}"
        )
    print(shtab.complete(make_parser(), shell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
