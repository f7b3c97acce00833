"""The rooms of the code: small, without cycles, and named so that a file is found by its name."""

from __future__ import annotations

import ast
import re
import statistics
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
LAYERS = ("trainers", "aeviewer/services", "aeviewer/panels", "aeviewer/widgets", "aeviewer")
MOST_MODULES, MOST_LINES = 17, 400
MEDIAN_LINES, MOST_LINES_OF_NINE_IN_TEN = 6, 24
MOST_PARTICIPLES = 0.01
IRREGULAR = frozenset(
    "begun bound broken brought built caught chosen dealt done drawn driven fallen felt forgotten "
    "frozen given gone grown heard held hidden kept known laid left lit lost made meant met paid "
    "redrawn said seen sent shown sought spent spoken stood struck taken taught thought told torn "
    "understood undone worn woven won written".split()
)
NO_PARTICIPLES = frozenset("embed exceed feed need seed speed".split())
OLD_WORDS = re.compile(r"\b(told|whoever|can\s+not)\b", re.IGNORECASE)


@cache
def product() -> tuple[Path, ...]:
    return tuple(
        path.relative_to(ROOT)
        for package in ("aeviewer", "trainers")
        for path in sorted((ROOT / package).rglob("*.py"))
    )


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def modules() -> Iterator[Path]:
    yield from (path for path in product() if path.name != "__init__.py")


def layer(path: Path) -> str:
    return next(name for name in LAYERS if path.as_posix().startswith(f"{name}/"))


def test_no_room_is_crowded() -> None:
    rooms: defaultdict[Path, list[str]] = defaultdict(list)
    for path in modules():
        rooms[path.parent].append(path.name)
    crowded = {str(room): names for room, names in rooms.items() if len(names) > MOST_MODULES}
    assert not crowded


def test_no_module_is_long() -> None:
    lines = {str(path): len((ROOT / path).read_text().splitlines()) for path in product()}
    assert not {path: count for path, count in lines.items() if count > MOST_LINES}


def test_a_file_name_occurs_once_in_a_layer() -> None:
    places: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in modules():
        places[layer(path), path.name].append(str(path))
    assert not [found for found in places.values() if len(found) > 1]


def test_a_public_class_name_occurs_once() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in product():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in product():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def test_functions_are_short() -> None:
    lengths = [(node.end_lineno or 0) - node.lineno + 1 for _, node in functions()]
    assert statistics.median(lengths) <= MEDIAN_LINES
    assert statistics.quantiles(lengths, n=10)[-1] <= MOST_LINES_OF_NINE_IN_TEN


def is_participle(name: str) -> bool:
    word = name.strip("_")
    is_regular = word.endswith("ed") and word not in NO_PARTICIPLES
    return "_" not in word and (is_regular or word in IRREGULAR)


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_functions_are_not_named_by_a_bare_participle() -> None:
    named = [(path, node) for path, node in functions() if not is_property(node)]
    found = [
        f"{path}:{node.lineno} {node.name}" for path, node in named if is_participle(node.name)
    ]
    assert len(found) <= MOST_PARTICIPLES * len(named), "\n".join(found)


def room(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[:1] == ["aeviewer"] and len(parts) > 3 else 2])


def runtime_imports(node: ast.AST) -> Iterator[str]:
    """Yields what is imported when a module runs, in functions too, but not for types alone."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from runtime_imports(child)


def test_rooms_import_each_other_without_cycles() -> None:
    names = {
        path.with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for path in product()
    }
    graph: defaultdict[str, set[str]] = defaultdict(set)
    for path in product():
        here = path.with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for name in runtime_imports(tree(path)):
            there = name if name in names else name.rpartition(".")[0]
            if there in names and room(there) != room(here):
                graph[room(here)].add(room(there))
    while leaves := [name for name in graph if not graph[name] & graph.keys()]:
        for leaf in leaves:
            del graph[leaf]
    assert not dict(graph), "these rooms import each other in a circle, or what does"


@pytest.mark.parametrize("pattern", ["aeviewer/**/*.py", "trainers/**/*.py", "docs/*.md", "*.md"])
def test_plain_words_are_used(pattern: str) -> None:
    pages = [path for path in sorted(ROOT.glob(pattern)) if path.name != "style.md"]
    found = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in pages
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if OLD_WORDS.search(line)
    ]
    assert not found, "\n".join(found)


def test_the_architecture_page_lists_every_module() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = page.split("```")[1]
    rooms = {
        room: set(re.findall(r"[\w]+", names))
        for room, names in re.findall(r"^(\S+)/\n {4}(.*?)(?=^\S)", tree, re.MULTILINE | re.DOTALL)
    }
    for path in modules():
        assert path.stem in rooms[path.parent.as_posix()], path
