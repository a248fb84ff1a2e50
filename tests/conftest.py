"""What holds for every test."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.keys import make_keys

# A busy machine is no fault of the code: no test asserts a time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# A shell that starts the suite in the background has it ignore Ctrl-C, and so would the programs it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with certificate.pem, key.pem and token."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed")
    folder = tmp_path_factory.mktemp("keys")
    try:
        make_keys(folder)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"openssl makes no certificate: {error.stderr.decode()}")
    return folder
