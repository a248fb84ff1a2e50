"""The settings in force as YAML, each with its origin and range: what `check-config` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass

from detector.config.constraints import Hint, Limit, choices_of, hints_of, item_hint, limit_of
from detector.config.loading import Loaded
from detector.config.settings import Settings
from detector.config.sink_settings import SinkKinds, SinkSettings
from detector.config.wording import either
from detector.config.yamltext import join, scalar
from detector.files.terminal import escape


def render(loaded: Loaded, sink_kinds: SinkKinds) -> str:
    """The settings as YAML that reads back as the same; comments say where each is from and its range."""
    source = escape(loaded.path) if loaded.path else "no file"
    lines = [f"# The effective settings of sound-detector ({source}; then flags)."]
    page = _Page(loaded, sink_kinds)
    for name, hint in hints_of(Settings).items():
        lines += page.lines(f"{name}:", getattr(loaded.settings, name), name, hint)
    return "".join(f"{line}\n" for line in lines)


class _Page:
    """Settings as lines of YAML."""

    def __init__(self, loaded: Loaded, sink_kinds: SinkKinds) -> None:
        self._loaded = loaded
        self._sink_kinds = sink_kinds

    def lines(self, head: str, value: object, key: str, hint: Hint) -> Iterator[str]:
        """The lines of one key; `head` is `key:` or `-`, indented."""
        pad = " " * (len(head) - len(head.lstrip()) + 2)
        if isinstance(value, SinkSettings):
            yield head
            yield from self._sink(pad, value, key)
        elif is_dataclass(value):
            yield head
            for name, inner in hints_of(type(value)).items():
                yield from self.lines(f"{pad}{name}:", getattr(value, name), join(key, name), inner)
        elif isinstance(value, Mapping) and value:
            yield head
            for name, item in value.items():
                inner = item_hint(hint, Mapping)
                yield from self.lines(f"{pad}{scalar(name)}:", item, join(key, name), inner)
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            yield head
            for i, item in enumerate(value):
                yield from self.lines(f"{pad}-", item, f"{key}[{i}]", item_hint(hint, tuple))
        else:
            yield self._line(head, value, key, limit_of(hint), choices_of(hint))

    def _sink(self, pad: str, sink: SinkSettings, key: str) -> Iterator[str]:
        """The keys of every kind of sink; those of another kind have no effect, and their default."""
        yield self._line(f"{pad}kind:", sink.kind, join(key, "kind"), None, self._sink_kinds.names)
        for name, owner in self._sink_kinds.owners.items():
            value = getattr(sink if name in hints_of(type(sink)) else owner(), name)
            yield from self.lines(f"{pad}{name}:", value, join(key, name), hints_of(owner)[name])

    def _line(
        self, head: str, value: object, key: str, limit: Limit | None, choices: Sequence[object]
    ) -> str:
        notes = [escape(self._loaded.where(key))]
        if limit is not None:
            notes.append(str(limit))
        if choices:
            notes.append(either(choices))
        return f"{head} {_flow(value)}  # {'; '.join(notes)}"


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{}"
    return f"[{', '.join(map(scalar, value))}]" if isinstance(value, tuple) else scalar(value)
