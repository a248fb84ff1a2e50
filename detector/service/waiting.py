"""Waiting for a model that is not there: the service is up, says so, and goes on by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

from detector.errors import ConfigError, ModelError
from detector.service.signals import exiting_on_sigterm
from detector.service.systemd import Notifier

T = TypeVar("T")

log = logging.getLogger(__name__)

RETRY_SECONDS = 10.0
"""How often the model is looked for; to find that it is missing costs some 50 ms of CPU."""


def until_made(
    make: Callable[[], T],
    *,
    notifier: Notifier,
    show: Callable[[str], AbstractContextManager[object]],
    wait: Callable[[float], None] = time.sleep,
) -> T:
    """Make something that needs a model; where a service manager started this, wait until there is one.

    `show` lets others see the reason while its context lasts, which a SIGTERM also ends. Raises what `make`
    raises; without a manager ModelError too: a person at a terminal wants to know at once. A name that no
    model has is a fault in the settings, and is not waited for.
    """
    shown = ""
    with ExitStack() as showing:
        while True:
            try:
                return make()
            except ModelError as error:
                if error.exit_code == ConfigError.exit_code or not notifier.has_manager:
                    raise
                if shown != str(error):
                    shown = str(error)
                    log.warning("daemon.waiting for a model: %s", shown)
                    notifier.status(f"waiting for a model: {shown}")
                    showing.close()
                    showing.enter_context(exiting_on_sigterm())
                    showing.enter_context(show(shown))
            notifier.ready()
            notifier.watchdog()
            wait(RETRY_SECONDS)
