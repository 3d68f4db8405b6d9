"""Finds private names of libraries; `make lint` lists those in use and refuses any elsewhere.

Private names of libraries are used only in files called `internals.py`: one function for each name,
whose docstring says why there is no public way.
"""

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from tests.effort import without_collector
from tests.sizes import FOLDERS, ROOT

OTHERS = ("alembic", "benchmarks", "tests")
PACKAGES = tuple(folder for folder in FOLDERS if folder not in OTHERS)
PLACE = "internals.py"
# These only look private: Python documents them.
DOCUMENTED = {"_asdict", "_exit", "_fields", "_make", "_replace"}


class Source:
    """A file; it is walked through once, which takes longer than all that is done with it."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def defined(self) -> set[str]:
        """The names that the file defines."""
        return _defined(self.nodes)


Sources = dict[str, Source]


def sources(root: Path, folders: tuple[str, ...]) -> Sources:
    return {
        str(path.relative_to(root)): Source(path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
        if "node_modules" not in path.parts
    }


def accessors(root: Path) -> list[str]:
    """A line for each function of an `internals.py`: its place and its reason."""
    return [
        f"{name}: {node.name}: {ast.get_docstring(node) or ''}"
        for name, source in sources(root, PACKAGES).items()
        if _is_place(name)
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef)
    ]


def used_elsewhere(root: Path) -> list[str]:
    """A line for each use of a library's private name outside of `internals.py`."""
    with without_collector():
        return _used_elsewhere(sources(root, PACKAGES), sources(root, OTHERS))


def _used_elsewhere(products: Sources, tests: Sources) -> list[str]:
    ours = DOCUMENTED.union(*(each.defined for each in products.values()))
    held = {name for each, file in products.items() if _is_place(each) for name in _used(file)}
    found = list[str]()
    for name, file in products.items():
        if not _is_place(name):
            own = DOCUMENTED | file.defined | _inherited(file, products)
            found += _foreign(name, file, own, held)
    ours = ours.union(*(each.defined for each in tests.values()))
    for name, file in tests.items():
        found += _foreign(name, file, (ours - held) | file.defined, held)
    return found


def overridden() -> list[str]:
    """A line for each private method of a library that one of our classes overrides."""
    return [
        f"{kind.__module__}.{kind.__name__}.{name} overrides {base.__module__}.{base.__name__}"
        for kind in _classes()
        for name, value in vars(kind).items()
        if _is_private(name) and inspect.isfunction(value)
        for base in kind.__mro__[1:]
        if name in vars(base) and _is_library(base.__module__)
    ]


def _foreign(name: str, file: Source, ours: set[str], held: set[str]) -> Iterator[str]:
    for used, line in _used(file).items():
        if used not in ours:
            yield f"{name}:{line}: {used}"
    for node in file.nodes:
        if isinstance(node, ast.Constant) and node.value in held:
            yield f"{name}:{node.lineno}: {node.value!r}"


def _used(file: Source) -> dict[str, int]:
    """The private names that a file imports, reads, sets or gives to `getattr`; their lines."""
    found = dict[str, int]()
    for node in file.nodes:
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            found.setdefault(node.attr, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(each.name for each in node.names)]
            found |= {name: node.lineno for name in names if _is_private(name)}
        elif isinstance(node, ast.Call) and _is_getattr(node):
            (_, name, *_) = node.args
            if isinstance(name, ast.Constant) and _is_private(str(name.value)):
                found.setdefault(str(name.value), node.lineno)
    return found


def _defined(nodes: list[ast.AST]) -> set[str]:
    found = set[str]()
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and _is_of_self(node):
            found.add(node.attr)
    return found


def _inherited(file: Source, products: Sources) -> set[str]:
    """The names of the modules of ours from which a file imports base classes."""
    bases = {
        base.id
        for node in file.nodes
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    }
    modules = {
        f"{(node.module or '').replace('.', '/')}.py"
        for node in file.nodes
        if isinstance(node, ast.ImportFrom) and any(each.name in bases for each in node.names)
    }
    return set[str]().union(*(products[name].defined for name in modules & products.keys()))


def _is_of_self(node: ast.Attribute) -> bool:
    is_self = isinstance(node.value, ast.Name) and node.value.id == "self"
    return is_self and isinstance(node.ctx, ast.Store)


def _is_getattr(node: ast.Call) -> bool:
    called = node.func
    return isinstance(called, ast.Name) and called.id in ("getattr", "setattr", "hasattr")


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def _is_place(name: str) -> bool:
    return Path(name).name == PLACE


def _classes() -> Iterator[type]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if module.name.endswith(".__main__"):  # importing it runs the command
                continue
            loaded = importlib.import_module(module.name)
            for _name, kind in inspect.getmembers(loaded, inspect.isclass):
                if kind.__module__ == module.name:
                    yield kind


def _is_library(module: str) -> bool:
    top = module.partition(".")[0]
    return top not in PACKAGES and top not in sys.stdlib_module_names


def main() -> None:
    found = accessors(ROOT)
    sys.stdout.write(f"Names that libraries do not promise to keep: {len(found) or 'none'}\n")
    sys.stdout.writelines(f"  {line}\n" for line in found)
    wrong = used_elsewhere(ROOT) + overridden()
    sys.stdout.writelines(f"Not in {PLACE}: {line}\n" for line in wrong)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
