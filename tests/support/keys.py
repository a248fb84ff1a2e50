"""What a guarded socket needs: a certificate, its private key and a token."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_keys(folder: Path) -> None:
    """A self-signed certificate for localhost, its key, and a token; needs the program openssl."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    (folder / "token").write_text("0123456789abcdef0123456789abcdef\n", encoding="ascii")
    for name in ("key.pem", "token"):
        (folder / name).chmod(0o600)
