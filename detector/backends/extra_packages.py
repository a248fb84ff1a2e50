"""The packages of an extra: looked for before the work, imported when wanted, told where they are absent."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from detector.errors import DetectorError


def check_installed(modules: Mapping[str, str], what: str = "evaluation", extra: str = "eval") -> None:
    """DetectorError where a module is not there; `modules`: module -> package, `what` needs them."""
    missing = [package for module, package in modules.items() if find_spec(module) is None]
    if missing:
        raise DetectorError(
            f"{what} needs {' and '.join(missing)}; install with: pip install 'sound-detector[{extra}]'"
        )


def needed(module: str, package: str) -> Any:  # noqa: ANN401 (packages without types)
    """Import a module; DetectorError names the package to install."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old packages tell their own deprecations at import
            return importlib.import_module(module)
    except ImportError as error:
        raise DetectorError(
            f"evaluation needs {package} ({error}); install it with: pip install 'sound-detector[eval]'"
        ) from error
