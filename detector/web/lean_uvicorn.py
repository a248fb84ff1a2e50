"""uvicorn's server without its command line, which would load click and multiprocessing: 1.4 MiB.

Importing any of uvicorn's modules imports the package, and that imports the command line `uvicorn.main`. An
empty module stands there meanwhile; whoever wants the real one can import it afterwards.
"""

from __future__ import annotations

import sys
from types import ModuleType

_COMMAND_LINE = "uvicorn.main"

if "uvicorn" in sys.modules:
    from uvicorn.config import Config
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import Server
else:
    _empty = ModuleType(_COMMAND_LINE)
    vars(_empty).update(Server=None, main=None, run=None)
    sys.modules[_COMMAND_LINE] = _empty
    try:
        import uvicorn
        from uvicorn.config import Config
        from uvicorn.protocols.http.h11_impl import H11Protocol
        from uvicorn.server import Server
    finally:
        del sys.modules[_COMMAND_LINE]
    vars(uvicorn)["Server"] = Server

__all__ = ["Config", "H11Protocol", "Server"]
