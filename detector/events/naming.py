"""What a label is called where people read it: with its model where another label has the same name.

A head and its network may both know a *Rain*; they are two labels, told apart as `Rain (yamnet)` and
`Rain (esc10)`. Where programs read, `model` and `class_id` stand beside the name, which then stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from detector.records import Label


def shared_names(names: Iterable[str]) -> frozenset[str]:
    """Those that stand there more than once, whatever the case of letters; as `told_apart` takes them."""
    counts = Counter(name.casefold() for name in names)
    return frozenset(name for name, count in counts.items() if count > 1)


def told_apart(name: str, model: str, shared: Collection[str]) -> str:
    """The name, with the model where `shared` (of `shared_names`) has it."""
    return f"{name} ({model})" if name.casefold() in shared else name


def shown(label: Label, shared: Collection[str]) -> str:
    """`told_apart` of a label."""
    return told_apart(label.name, label.model, shared)
