"""The order of the house, executed: who may import whom, and what a module may be.

The rules are those of the Map in README.md; each test lists every module that breaks its rule.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from detector.cli.parser import COMMANDS

ROOT = Path(__file__).resolve().parents[1]

# From the top down. An import goes to a lower line or stays in its room; rooms on one line do not know
# each other. The settings stand aside: only those named in SETTINGS_READERS know them.
ORDER = (
    ("__main__",),
    ("cli",),
    ("assemble",),
    ("training", "calibration", "collecting", "soundscapes", "web", "fleet"),
    ("evaluation", "subscriber"),
    ("analysis", "service"),
    ("delivery",),
    ("modelstore", "history", "clips"),
    ("sources", "backends", "sinks", "graphs", "audition"),
    ("pipeline",),
    ("wire",),
    ("alarms",),
    ("audio", "events", "verdicts"),
    ("interfaces",),
    ("records", "datasets", "workers"),
    ("config", "remote"),
    ("errors", "demo", "files"),
)
RANK = {room: rank for rank, line in enumerate(ORDER) for room in line}

SETTINGS = {
    *("config.settings", "config.label_settings", "config.named_source"),
    *("config.loading", "config.rendering", "config.checks"),
}
SETTINGS_READERS = {"config", "cli", "assemble"}

PURE = (
    *(
        "alarms",
        "audio",
        "events",
        "interfaces",
        "records",
        "errors",
        "service.device_state",
        "wire.message",
        "wire.encoding",
        "wire.pattern_body",
        "wire.live_bodies",
    ),
    *("analysis.summary", "analysis.sounds", "analysis.overview"),
    "datasets.clip_quality",
    *("datasets.annotations", "evaluation.matching", "soundscapes.plan", "soundscapes.stretch"),
    "soundscapes.mixing",
    *("clips.clip_plan", "clips.clip_retention"),
    *("collecting.taking", "collecting.triggered", "collecting.clip_verdict"),
    *("collecting.collector", "collecting.meter"),
    "config.hours",
    *("sinks.notify.engine", "sinks.notify.health_watch"),
    *("sinks.notify.notices", "sinks.notify.retry_queue"),
    "verdicts",
)
DATA_TYPES = {
    *("__future__", "bisect", "collections", "dataclasses", "datetime", "difflib", "enum"),
    *("functools", "heapq", "itertools", "json", "math", "operator", "re", "typing"),
}
WEB_PACKAGES = {"h11", "starlette", "uvicorn"}
EFFECTS = {"open", "print", "input", "now", "utcnow", "today"}

CONCURRENCY = {"threading", "queue", "asyncio", "concurrent", "multiprocessing", "_thread"}
OWNERS_OF_THREADS = {
    "cli.logs",
    *(
        "service.capture",
        "service.intake",
        "sources.portaudio",
        "files.quiet_stderr",
        "service.prometheus",
        "delivery.dispatcher",
        "delivery.sink_queue",
    ),
    *("sinks.socket.server", "sinks.socket.hub", "sinks.socket.connection", "sinks.socket.acceptor"),
    *("sinks.socket.archive_replay", "sinks.socket.feed", "sinks.socket.closing"),
    *("sinks.live_taps", "sinks.socket.watching"),
    *("sinks.notify.target_thread", "sinks.notify.webhook"),
    "sinks.mqtt.mqtt_sink",
    "subscriber.daemon_stream",
    "remote.deadline",
    *("history.journal", "history.sequence_numbers", "history.verdict_keeper", "history.writer"),
    "workers.dask_pool",
    *("workers.pool", "workers.worker"),
    *("clips.clip_keeper", "clips.clip_link", "clips.clip_process"),
}


@dataclass(frozen=True)
class Module:
    """One file of the package, named without the leading `detector.`."""

    name: str
    lines: int
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.split(".")[0]

    def within(self, names: tuple[str, ...]) -> bool:
        return any(self.name == name or self.name.startswith(name + ".") for name in names)


def read_modules() -> Iterator[Module]:
    for path in sorted((ROOT / "detector").rglob("*.py")):
        parts = path.relative_to(ROOT / "detector").with_suffix("").parts
        text = path.read_text(encoding="utf-8")
        name = ".".join(part for part in parts if part != "__init__")
        yield Module(name, len(text.splitlines()), ast.parse(text, str(path)))


MODULES = [module for module in read_modules() if module.name]


def imports(tree: ast.AST) -> Iterator[str]:
    """Name everything that is imported anywhere in a tree: `from a import b` is `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(names: Iterator[str]) -> Iterator[str]:
    """Keep the modules of this project, without the leading `detector.`; `__version__` is nobody's room."""
    prefix = "detector."
    yield from (n[len(prefix) :] for n in names if n.startswith(prefix) and not n.startswith(prefix + "__"))


def foreign(names: Iterator[str]) -> Iterator[str]:
    """Keep the top-level packages that are not this project."""
    yield from (name.split(".")[0] for name in names if not name.startswith("detector"))


def run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Give the statements that importing a module executes: no function's body, nothing for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from run_at_import(node)


def test_every_room_has_its_place_in_the_order() -> None:
    assert {module.room for module in MODULES} <= RANK.keys()


def test_imports_go_downward_only() -> None:
    """Imports for type checkers count too."""
    upward = [
        f"{module.name} imports {target}"
        for module in MODULES
        for target in own(imports(module.tree))
        if (room := target.split(".")[0]) != module.room and RANK[room] <= RANK[module.room]
    ]
    assert upward == []


def test_readme_shows_the_rooms_in_this_order() -> None:
    """README's Map lists a room on each line, from the top down."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = text.partition("\n    detector/ ")[2].partition("\n    tests/ ")[0]
    shown = re.findall(r"^ {6}([a-z]+)(?:/|\.py) ", listed, re.MULTILINE)
    assert sorted(shown) == sorted(RANK.keys() - {"__main__"})
    assert [RANK[room] for room in shown] == sorted(RANK[room] for room in shown)


def imported_modules(module: Module) -> set[str]:
    """Name the modules of this project that a module imports, wherever in its text; not itself."""
    known = {other.name for other in MODULES}
    found = set()
    for target in own(imports(module.tree)):
        while target and target not in known:  # `from a import b`: b may be a name inside a
            target = target.rpartition(".")[0]
        found.add(target)
    return found - {module.name, ""}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """List the groups of nodes that reach each other."""
    left = {node: set(targets) for node, targets in graph.items()}
    changed = True
    while changed:  # drop what imports nothing that is left, and what nothing left imports
        reached = {target for targets in left.values() for target in targets}
        kept = {node: targets & left.keys() for node, targets in left.items() if targets and node in reached}
        kept = {node: targets & kept.keys() for node, targets in kept.items()}
        changed, left = kept != left, kept
    return [sorted(left)] if left else []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Neither across rooms nor within one, imports for type checkers included."""
    graph = {module.name: imported_modules(module) for module in MODULES}
    assert circles(graph) == []


def repeated(names: Iterable[str]) -> set[str]:
    counts = Counter(names)
    return {name for name, count in counts.items() if count > 1}


def test_public_classes_have_names_of_their_own() -> None:
    names = [
        node.name
        for module in MODULES
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert repeated(names) == set()


def test_modules_have_names_of_their_own() -> None:
    """A file's name is found once, whatever its folder; `command` alone is in every room that has a command.

    A folder may be called like a file elsewhere: `assemble/training.py` builds what `training/` needs.
    """
    files = [path.stem for path in (ROOT / "detector").rglob("*.py")]
    assert repeated(files) - {"__init__", "command"} == set()


def test_settings_are_known_only_at_the_top() -> None:
    readers = {
        m.room for m in MODULES for t in own(imports(m.tree)) if ".".join(t.split(".")[:2]) in SETTINGS
    }
    assert readers <= SETTINGS_READERS


def test_argparse_ends_in_cli() -> None:
    """Behind it a command is a frozen request of plain values."""
    assert {m.room for m in MODULES if "argparse" in foreign(imports(m.tree))} == {"cli"}


def frozen_dataclasses() -> Iterator[str]:
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                decorators = " ".join(ast.unparse(each) for each in node.decorator_list)
                if "dataclass(frozen=True" in decorators:
                    yield node.name


def test_a_command_is_a_file_called_like_it_with_one_frozen_request() -> None:
    """`sound-detector check-config`: cli/commands/check_config.py, which reads flags into CheckConfigRequest.

    No other file of the package is called like a command. The request is defined in the room of the use case
    where that takes it whole (training/ has TrainRequest), else in the command's own file.
    """
    files = {m.name.split(".")[-1]: m for m in MODULES if m.name.startswith("cli.commands.")}
    assert files.keys() == {command.name.replace("-", "_") for command in COMMANDS}
    frozen = Counter(frozen_dataclasses())
    for name, module in files.items():
        (reads,) = [
            node
            for node in module.tree.body
            if isinstance(node, ast.FunctionDef) and node.name == "read_request"
        ]
        assert reads.returns is not None
        request = ast.unparse(reads.returns)
        assert request == f"{name.title().replace('_', '')}Request"
        assert frozen[request] == 1


def test_one_module_reads_yaml() -> None:
    assert {m.name for m in MODULES if "yaml" in foreign(imports(m.tree))} == {"config.yamltext"}


def test_threads_and_queues_live_with_their_owners() -> None:
    """The page is a process of its own, with one event loop: all of its modules may use it."""
    users = {m.name for m in MODULES if CONCURRENCY & {*foreign(imports(m.tree))} and m.room != "web"}
    assert users <= OWNERS_OF_THREADS


def test_pure_modules_import_only_data_types_numpy_and_each_other() -> None:
    impure = [
        f"{module.name} imports {name}"
        for module in MODULES
        if module.within(PURE)
        for name in [
            *({*foreign(imports(module.tree))} - DATA_TYPES - {"numpy"}),
            *(target for target in own(imports(module.tree)) if not target.startswith(PURE)),
        ]
    ]
    assert impure == []


def test_pure_modules_have_no_effects() -> None:
    """No file, no terminal, no clock."""
    effects = [
        f"{module.name}:{node.lineno} calls {ast.unparse(node.func)}"
        for module in MODULES
        if module.within(PURE)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in EFFECTS
    ]
    assert effects == []


def test_foreign_engines_are_imported_where_they_are_used() -> None:
    """Importing the package loads numpy and at most YAML: no runtime, no sound library, no librosa.

    The room of the page, which only `web` imports, stands on the packages of its extra.
    """
    early = [
        f"{module.name} imports {name}"
        for module in MODULES
        for node in run_at_import(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in foreign(imports(node))
        if name not in sys.stdlib_module_names and name not in {"numpy", "yaml"}
        if not (module.room == "web" and name in WEB_PACKAGES)
    ]
    assert early == []


def test_the_root_holds_the_spine_alone() -> None:
    assert {path.name for path in (ROOT / "detector").glob("*.py")} == {
        *("__init__.py", "__main__.py", "errors.py", "interfaces.py", "pipeline.py", "records.py"),
    }


def test_tests_import_no_benchmarks() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py")}
    assert [str(path) for path, tree in trees.items() if "benchmarks" in {*foreign(imports(tree))}] == []


def test_a_module_holds_one_idea() -> None:
    """At most 300 lines, and a docstring that says which idea."""
    assert [f"{module.name}: {module.lines} lines" for module in MODULES if module.lines > 300] == []
    assert [module.name for module in MODULES if not ast.get_docstring(module.tree)] == []


def test_test_modules_have_names_of_their_own() -> None:
    """pytest imports them by their file's name alone."""
    names = [path.name for top in ("tests", "benchmarks") for path in (ROOT / top).rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
