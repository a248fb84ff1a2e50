"""Files that a guarded socket needs: a certificate for localhost, its key and a token."""

import shutil
import subprocess

import pytest

from benchmarks.subscribers import make_keys


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """The folder with certificate.pem, key.pem and token."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed")
    folder = tmp_path_factory.mktemp("keys")
    try:
        make_keys(folder)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"openssl makes no certificate: {error.stderr.decode()}")
    return folder
