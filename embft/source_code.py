"""The code that decides a result, found by following imports without importing anything; part of every cache key.

A list of modules kept by hand forgets one sooner or later, and then the cache serves figures of code that is gone. Here the
list is worked out: the module of a stage's build function, all of embft that it imports (also inside functions), and so on.
Of what is reached, the syntax tree without docstrings is hashed, so a comment or a reformatted line rebuilds nothing.
Libraries that are reached enter by their version.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGE = "embft"
NOT_FOLLOWED: Mapping[str, str] = {
    "embft": "the version alone",
    "embft.config": "settings enter a key by their values",
    "embft.damaged": "what is done with a damaged file of the cache decides no result",
    "embft.errors": "the words of errors decide no result",
    "embft.files": "how a file is written decides nothing about what is in it",
    "embft.progress": "what is shown while work is under way decides no result",
    "embft.results": "the shapes of results; a stage imports what fills them itself",
    "embft.runs": "the run folder and its processes surround the stages",
    "embft.sqlite_file": "how rows are kept on disk decides nothing about what is in them",
    "embft.sqlite_rows": "which rows can be read of a damaged file decides nothing about what is in them",
    "embft.stages": "the cache itself",
    "embft.typed_json": "how results are written and read back",
    "embft.wording": "which words say a result decides nothing about it",
}
"""Modules that are no part of a key, each with its reason; those below them included."""
_BEHIND: Mapping[str, tuple[str, ...]] = {
    "sentence_transformers": ("torch", "transformers", "tokenizers"),
    "transformers": ("torch", "tokenizers"),
}
"""Libraries that decide a result through another one that is imported."""
_KEY_LENGTH = 16


@dataclass(frozen=True)
class SourceCode:
    """What a function's result can depend on.

    Attributes:
        modules: Names of embft's modules, sorted.
        libraries: Distribution to version, of all others that these modules import.
        digest: Hash of the modules' syntax trees.
    """

    modules: tuple[str, ...]
    libraries: Mapping[str, str]
    digest: str


def code_of(*roots: str, package_folder: Path | None = None) -> SourceCode:
    """Follows imports from some modules of embft.

    Args:
        roots: Module names.
        package_folder: Of embft's source; where this module lies unless a test says otherwise.

    Raises:
        ModuleNotFoundError: A module of embft is imported that is not there.
    """
    return _code_of(tuple(sorted(set(roots))), package_folder or Path(__file__).parent)


@cache
def _code_of(roots: tuple[str, ...], folder: Path) -> SourceCode:
    reached: dict[str, _Module] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in reached or is_left_out(name):
            continue
        reached[name] = module = _module(name, folder)
        waiting.extend(module.own_imports)
    hasher = hashlib.sha256()
    for name in sorted(reached):
        hasher.update(f"{name}\0{reached[name].digest}\0".encode())
    imported = {top for module in reached.values() for top in module.other_imports}
    return SourceCode(tuple(sorted(reached)), _versions(imported), hasher.hexdigest()[:_KEY_LENGTH])


def is_left_out(name: str) -> bool:
    """Whether a module is no part of any key."""
    return name == PACKAGE or any(
        name == left or name.startswith(f"{left}.") for left in NOT_FOLLOWED if left != PACKAGE
    )


@dataclass(frozen=True)
class _Module:
    digest: str
    own_imports: frozenset[str]
    other_imports: frozenset[str]


@cache
def _module(name: str, folder: Path) -> _Module:
    path = _path(name, folder)
    if path is None:
        raise ModuleNotFoundError(name)
    tree = ast.parse(path.read_bytes())
    own: set[str] = set()
    other: set[str] = set()
    for imported in _imports(tree):
        top = imported.partition(".")[0]
        if top == PACKAGE:
            own.update(_existing(imported, folder))
        elif top not in sys.stdlib_module_names:
            other.add(top)
    # A package's __init__ runs before any module in it.
    own.update(parent for parent in _parents(name) if parent != PACKAGE)
    _strip_docstrings(tree)
    return _Module(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), frozenset(own), frozenset(other))


def _path(name: str, folder: Path) -> Path | None:
    place = folder.joinpath(*name.split(".")[1:])
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)


def _existing(imported: str, folder: Path) -> Iterator[str]:
    """The module that ``embft.a.b.name`` means, where ``name`` may be a module or something in one."""
    if _path(imported, folder) is not None:
        yield imported
    elif _path(parent := imported.rpartition(".")[0], folder) is not None:
        yield parent
    else:
        raise ModuleNotFoundError(imported)


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names that a module imports when it runs; what stands under ``if TYPE_CHECKING`` is for readers of types."""
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_entry_point(node.value):
            yield node.value.replace(":", ".")


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for other in child.orelse:
                yield other
                yield from _running(other)
            continue
        yield child
        yield from _running(child)


def _is_entry_point(text: str) -> bool:
    """Whether a string names something to import later: ``embft.questions.llm:ask_llm``."""
    module, _, name = text.partition(":")
    return module.startswith(f"{PACKAGE}.") and name.isidentifier()


def _strip_docstrings(tree: ast.AST) -> None:
    """Takes out strings that stand alone: docstrings of modules, classes, functions and attributes."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                part
                for part in body
                if not (
                    isinstance(part, ast.Expr)
                    and isinstance(part.value, ast.Constant)
                    and isinstance(part.value.value, str)
                )
            ]


def _versions(imported: Iterable[str]) -> dict[str, str]:
    """Distribution to version; a library that is not installed was not used."""
    names = {*imported, *(behind for name in imported for behind in _BEHIND.get(name, ()))}
    versions = {}
    for name in sorted(names):
        for distribution in _distributions().get(name, ()):
            versions[distribution] = metadata.version(distribution)
    return versions


@cache
def _distributions() -> Mapping[str, list[str]]:
    return {name: sorted(set(distributions)) for name, distributions in metadata.packages_distributions().items()}
