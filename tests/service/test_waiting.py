"""A model that is missing: waited for by a service, an error for a person."""

import contextlib
import signal
import socket
import sys

import pytest

from detector.errors import ConfigError, ModelError, WrongModel
from detector.service.systemd import Notifier
from detector.service.waiting import until_made


def making(*outcomes):
    """Raises or returns one after the other."""
    left = list(outcomes)

    def make():
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return make


class Shown:
    def __init__(self):
        self.log = []

    @contextlib.contextmanager
    def __call__(self, reason):
        self.log.append(reason)
        try:
            yield
        finally:
            self.log.append("closed")


def test_without_a_manager_it_is_an_error_at_once():
    with pytest.raises(ModelError):
        until_made(making(ModelError("missing")), notifier=Notifier({}), show=Shown())


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets")
def test_a_service_waits_says_so_once_and_goes_on_by_itself(caplog):
    shown, waits = Shown(), []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0sound-detector-test-model")
        manager.setblocking(False)
        made = until_made(
            making(ModelError("it is missing"), ModelError("it is missing"), "the daemon"),
            notifier=Notifier({"NOTIFY_SOCKET": "@sound-detector-test-model"}),
            show=shown,
            wait=waits.append,
        )
        sent = [manager.recv(4096).decode() for _ in range(2)]
    assert made == "the daemon"
    assert sent == ["STATUS=waiting for a model: it is missing", "READY=1"]
    assert shown.log == ["it is missing", "closed"]
    assert len(waits) == 2
    assert caplog.messages == ["daemon.waiting for a model: it is missing"]


def test_a_service_that_waits_ends_in_order(caplog):
    """What shows the reason, a socket's file, does not stay behind."""
    shown, before = Shown(), signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        until_made(
            making(ModelError("it is missing")),
            notifier=Notifier({"NOTIFY_SOCKET": "@sound-detector-test-nobody"}),
            show=shown,
            wait=lambda seconds: signal.raise_signal(signal.SIGTERM),
        )
    assert ended.value.code == 0
    assert shown.log == ["it is missing", "closed"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_fault_in_the_settings_is_never_waited_for():
    notifier = Notifier({"NOTIFY_SOCKET": "@sound-detector-test-nobody"})
    for fault in (ConfigError("a wrong value"), WrongModel("no such model")):
        with pytest.raises(type(fault)):
            until_made(making(fault), notifier=notifier, show=Shown())
