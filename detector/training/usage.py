"""How a model that was just written is listened with, as commands."""

from __future__ import annotations

from pathlib import Path

DEFAULT = "yamnet"
"""The model that runs where none is named."""


def use_lines(out: Path, base: str, models: Path) -> str:
    """The commands, a line each.

    `base` is what a head stands beside, empty for a network; `models` is the user's models folder, where the
    daemon finds heads by itself.
    """
    path = str(out) if out.is_absolute() else f"./{out}"
    beside = f"beside all that {base} knows"
    if base and out.resolve().parent == models.resolve():
        daemon = "sound-detector" + (f" --model {base}" if base != DEFAULT else "")
        rows = [(daemon, f"{beside}; one that runs takes it in on SIGHUP")]
        rows.append((f"sound-detector --model {out.name}", "it alone"))
    else:
        rows = [(f"sound-detector --model {path}", "it alone")]
        rows += [(f"sound-detector --model {base}+{path}", beside)] if base else []
    width = max(len(command) for command, _ in rows)
    return "".join(f"{command:{width}}  {said}\n" for command, said in rows)
