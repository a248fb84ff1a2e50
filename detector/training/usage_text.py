"""The commands that use a model which was just written."""

from __future__ import annotations

from pathlib import Path


def use_lines(out: Path, base: str, models: Path) -> str:
    """The commands, a line each.

    `base` is the model whose embeddings a head reads, empty for a network; `models` is the user's models
    folder, where the daemon finds heads by itself.
    """
    path = str(out) if out.is_absolute() else f"./{out}"
    beside = f"together with {base}'s own labels"
    if base and out.resolve().parent == models.resolve():
        rows = [("sound-detector", f"{beside}; a running daemon loads it on SIGHUP")]
        rows.append((f"sound-detector --model {out.name}", "the new model alone"))
    else:
        rows = [(f"sound-detector --model {path}", "the new model alone")]
        rows += [(f"sound-detector --model {base}+{path}", beside)] if base else []
    width = max(len(command) for command, _ in rows)
    return "".join(f"{command:{width}}  {effect}\n" for command, effect in rows)
