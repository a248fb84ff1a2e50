"""The program `sound-detector`: reads the command line, does what it says, ends with a status.

0 is success, 1 a failure while running, 2 a fault in the command line or the configuration;
every failure is one line on standard error, with a traceback only under -vv.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from detector.cli.connection import credentials, places
from detector.cli.logs import set_up_logging
from detector.cli.parser import make_parser, with_command
from detector.cli.setting_flags import overrides
from detector.errors import ConfigError, DetectorError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = make_parser()
    options = parser.parse_args(with_command(sys.argv[1:] if arguments is None else arguments))
    set_up_logging(options.verbose, quiet=getattr(options, "quiet", False))
    commands = {
        "run": _run,
        "devices": _devices,
        "models": _models,
        "listen": _listen,
        "status": _status,
        "history": _history,
        "analyze": _analyze,
        "evaluate": _evaluate,
        "soundscape": _soundscape,
        "record": _record,
        "train": _train,
        "calibrate": _calibrate,
        "check-config": _check_config,
    }
    try:
        return commands[options.command](options)
    except DetectorError as error:
        if options.verbose > 1:
            logging.getLogger("detector").exception("traceback")
        for line in str(error).splitlines():
            print(f"sound-detector: {line}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except MemoryError:
        print("sound-detector: out of memory; give it less at a time, as with --jobs 1", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options: argparse.Namespace) -> int:
    if options.print_completion:
        return _print_completion(options.print_completion)
    from detector import assemble
    from detector.config.loading import Loaded, load_settings
    from detector.service.signals import run_with_signals

    def load() -> Loaded:
        loaded = load_settings(**_setting_arguments(options))
        if not options.format:
            return loaded
        return replace(loaded, settings=assemble.with_stdout_format(loaded.settings, options.format))

    daemon = assemble.make_daemon(load, verbose=options.verbose > 0)
    run_with_signals(daemon)
    return 0


def _devices(options: argparse.Namespace) -> int:
    from detector.sources.devices import devices_command

    return devices_command(options.device, options.json)


def _models(options: argparse.Namespace) -> int:
    from detector.modelstore import commands

    if options.action == "list":
        return commands.list_models(as_json=options.json)
    if options.action == "pull":
        return commands.pull_model(options.name, from_file=options.from_file, quiet=options.quiet)
    if options.action == "verify":
        return commands.verify_models(options.names)
    return commands.info_model(options.name, as_json=options.json, labels=options.labels)


def _listen(options: argparse.Namespace) -> int:
    from detector.subscriber.listen import listen

    return listen(
        places(options, os.environ, sys.platform, _user_id()),
        labels=options.labels,
        min_score=options.min_score,
        since=options.since,
        format="json" if options.json else "auto",
        reconnect=options.reconnect,
        credentials=credentials(options, os.environ),
    )


def _status(options: argparse.Namespace) -> int:
    from detector.subscriber.status import status_command

    return status_command(
        places(options, os.environ, sys.platform, _user_id()),
        credentials=credentials(options, os.environ),
        as_json=options.json,
    )


def _history(options: argparse.Namespace) -> int:
    from detector.assemble import SINK_KINDS
    from detector.config.loading import load_settings
    from detector.history.archive import Question
    from detector.history.command import history_command
    from detector.history.places import reading_paths

    path = options.file
    if not path:
        path = load_settings(
            config_path=options.config, environ=os.environ, sink_kinds=SINK_KINDS
        ).settings.history.path
    question = Question(
        options.since, options.until, labels=options.labels, min_score=options.min_score, limit=options.limit
    )
    return history_command(reading_paths(path, os.environ), question, format=options.format)


def _analyze(options: argparse.Namespace) -> int:
    from detector.assemble.analysis import analyze_command

    return analyze_command(options, overrides(options), os.environ)


def _evaluate(options: argparse.Namespace) -> int:
    from detector.assemble.evaluation import evaluate_command

    return evaluate_command(options, overrides(options), os.environ)


def _soundscape(options: argparse.Namespace) -> int:
    from detector.cli.evaluate import soundscape_request
    from detector.soundscapes.command import soundscape

    return soundscape(soundscape_request(options))


def _train(options: argparse.Namespace) -> int:
    from detector.assemble.training import train_command

    return train_command(options, overrides(options), os.environ)


def _record(options: argparse.Namespace) -> int:
    from detector.assemble.collecting import record_command

    return record_command(options, overrides(options), os.environ)


def _calibrate(options: argparse.Namespace) -> int:
    from detector.assemble.calibration import calibrate_command

    return calibrate_command(options, overrides(options), os.environ)


def _check_config(options: argparse.Namespace) -> int:
    from detector import assemble
    from detector.config.loading import load_settings, render

    loaded = load_settings(**_setting_arguments(options))
    with loaded.placing():
        assemble.check_labels(loaded.settings)
    print(render(loaded, assemble.SINK_KINDS), end="")
    return 0


def _user_id() -> int | None:
    return os.getuid() if hasattr(os, "getuid") else None


def _setting_arguments(options: argparse.Namespace) -> dict[str, Any]:
    from detector.assemble import SINK_KINDS

    given = dict(overrides(options))
    if "source.device" in given and ("source.input" in given or options.demo):
        raise ConfigError("--device and --input, or --demo: choose one of them")
    if "source.device" in given:
        given["source.input"] = None  # a file may name a recording; the microphone asked for here wins
    if options.demo:
        from detector.demo import recording_path

        given |= {"source.input": str(recording_path()), "source.realtime": True, "source.name": "demo"}
    return {
        "config_path": options.config,
        "environ": os.environ,
        "sink_kinds": SINK_KINDS,
        "overrides": given,
        "set_expressions": options.set_expressions,
    }


def _print_completion(shell: str) -> int:
    try:
        import shtab
    except ImportError as error:
        raise DetectorError(
            "shell completion needs shtab; install it with: pip install sound-detector[completion]"
        ) from error
    if shell not in shtab.SUPPORTED_SHELLS:
        raise ConfigError(
            f"--print-completion: expected {' or '.join(shtab.SUPPORTED_SHELLS)}, got {shell!r}"
        )
    print(shtab.complete(make_parser(), shell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
