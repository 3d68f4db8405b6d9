"""Every place where a scope is used, and the way to take it away from one of them."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from access.scopes import Scope
from analytics.slices import Slice
from resolvers.context import Context
from resolvers.population import Population

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("storage/queries", "dataloaders", "analytics", "resolvers")
PACKAGES = ("storage", "dataloaders", "analytics", "resolvers", "schema")
EVERYTHING = Scope.everything()


@dataclass(frozen=True, slots=True)
class Place:
    """A function, or a method of a class, that is given a scope or takes one from what it has."""

    module: str
    holder: str | None
    name: str

    def __str__(self) -> str:
        return ".".join(filter(None, (self.module, self.holder, self.name)))


def places() -> list[Place]:
    """All functions that have a parameter `scope` or read a `.scope` or its projects."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [Place(module, holder, name) for holder, name in _scoped(tree)]
    return found


def _scoped(tree: ast.Module) -> Iterator[tuple[str | None, str]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from ((node.name, one.name) for one in _functions(node.body) if _uses_scope(one))
    yield from ((None, one.name) for one in _functions(tree.body) if _uses_scope(one))


def _functions(body: list[ast.stmt]) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]


def _uses_scope(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if "scope" in [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]:
        return True
    read = [one for one in ast.walk(node) if isinstance(one, ast.Attribute)]
    return any(
        one.attr == "scope" or (one.attr == "project_ids" and not _is_call_of(one, node))
        for one in read
    )


def _is_call_of(attribute: ast.Attribute, node: ast.AST) -> bool:
    """Dictionaries have a method of this name, which is no scope's."""
    return any(isinstance(one, ast.Call) and one.func is attribute for one in ast.walk(node))


Around = Callable[[Callable[..., Any]], Callable[..., Any]]


@contextmanager
def changed(place: Place, around: Around) -> Iterator[None]:
    """While this lasts, everybody who calls the place calls what `around` makes of it."""
    with ExitStack() as stack:
        for patch_ in patches(place, around):
            stack.enter_context(patch_)
        yield


def patches(place: Place, around: Around) -> list[Any]:
    """What `changed` does, one change for each name the place has; each can be done again."""
    module = importlib.import_module(place.module)
    if place.holder is not None:
        return [_member(getattr(module, place.holder), place.name, around)]
    original = getattr(module, place.name)
    made = around(original)
    return [patch.object(where, name, made) for where, name in _holders(original)]


def _member(holder: Any, name: str, around: Around) -> Any:
    original = inspect.getattr_static(holder, name)
    if isinstance(original, property):
        assert original.fget is not None
        return patch.object(holder, name, property(around(original.fget)))
    if isinstance(original, classmethod):
        return patch.object(holder, name, classmethod(around(original.__func__)))
    return patch.object(holder, name, around(original))


def _holders(original: Any) -> list[tuple[Any, str]]:
    """Each module that has imported the function, under the name it has there."""
    return [
        (module, name)
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").split(".")[0] in PACKAGES
        for name, value in list(vars(module).items())
        if value is original
    ]


def unscoped(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with everything in the place of each scope it is handed."""

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        if arguments and isinstance(arguments[0], Context) and not _is_async(function):
            return _with_everything(arguments[0], function, *arguments, **named)
        without = [_everything(one) for one in arguments]
        return function(*without, **{name: _everything(one) for name, one in named.items()})

    return call


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function)


def _with_everything(
    context: Context, function: Callable[..., Any], *arguments: Any, **named: Any
) -> Any:
    """What changes the context must change this one."""
    own, context.scope = context.scope, EVERYTHING
    try:
        return function(*arguments, **named)
    finally:
        context.scope = own


def _everything(value: Any) -> Any:
    if isinstance(value, Scope):
        return EVERYTHING
    if isinstance(value, Context | Population | Slice):
        return replace(value, scope=EVERYTHING)
    return value


def noted(calls: set[str], place: Place) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Writes down that the place was called."""

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            calls.add(str(place))
            return function(*arguments, **named)

        return call

    return around
