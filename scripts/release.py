"""Build the wheel and the source package into dist/: the same bytes from the same commit."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Build from what is committed, not from what lies around."""
    epoch = int(_git("log", "-1", "--format=%ct"))
    dist = ROOT / "dist"
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "source")
        source.mkdir()
        archive = subprocess.run(
            ["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(source, filter="data")
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0"}
        built = Path(name, "built")
        subprocess.run(
            [sys.executable, "-m", "build", "--outdir", str(built), str(source)], check=True, env=environment
        )
        dist.mkdir(exist_ok=True)
        for older in (*dist.glob("*.whl"), *dist.glob("*.tar.gz")):
            older.unlink()
        for file in sorted(built.iterdir()):
            target = dist / file.name
            if file.name.endswith(".tar.gz"):
                target.write_bytes(_normalised(file, epoch))
            else:
                shutil.copy(file, target)
            print(target)


def _normalised(file: Path, epoch: int) -> bytes:
    """The same archive without times and owners: setuptools notes when and by whom it was built."""
    packed = io.BytesIO()
    with (
        tarfile.open(file) as before,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as after,
    ):
        for member in sorted(before.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            after.addfile(member, before.extractfile(member) if member.isfile() else None)
    return gzip.compress(packed.getvalue(), mtime=epoch)


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
