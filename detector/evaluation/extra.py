"""The packages of the extra `[eval]`: imported when they are wanted, their absence told in one line."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from detector.errors import DetectorError


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
