"""Templates of messages: a small part of Jinja that can neither run for long nor grow large.

A template prints values, chooses between texts and goes over one list at a time. It cannot call,
compute or define anything, so its work is bounded by its size and by the values it is given.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATE_CHARACTERS = 4_000
RESULT_CHARACTERS = 20_000
JOINED_CHARACTERS = 2_000
SEPARATOR_CHARACTERS = 100
DIGITS_AT_MOST = 12

# What the values of a message are called; an example of each, with which templates are tried out.
EXAMPLE: Mapping[str, Any] = {
    "rule": "Failure rate",
    "severity": "critical",
    "transition": "firing",
    "project": "shop",
    "instance": "network=metis",
    "labels": {"network": "metis", "team": "platform"},
    "measure": "deployments.failure_rate",
    "value": 0.125,
    "bound": 0.1,
    "value_text": "12.5 %",
    "bound_text": "10 %",
    "since": datetime(2026, 1, 1, 12, 30, tzinfo=UTC),
    "deployment": "0190b6d1-0000-7000-8000-000000000000",
    "subject": "Deployment 0190b6d1",
    "reason": "",
    "link": "https://gateway.example.com/alerts/0190b6d1",
    "summary": "12.5 %, above 10 %",
}

FILTERS = ("default", "join", "length", "lower", "round", "title", "truncate", "upper")

_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Keyword,
    nodes.Tuple,
)
_NAMES = {
    nodes.Call: "a call",
    nodes.Mul: "a computation",
    nodes.Add: "a computation",
    nodes.Sub: "a computation",
    nodes.Pow: "a computation",
    nodes.Concat: "a computation",
    nodes.Include: "an include",
    nodes.Import: "an import",
    nodes.Macro: "a macro",
    nodes.Test: "a test",
}


class TemplateError(Exception):
    """A template cannot be read, or cannot be filled with these values."""


def _join(values: Iterable[object], separator: str = ", ") -> str:
    """Joined texts that stay short, as a join can be the separator of another one."""
    return str(separator)[:SEPARATOR_CHARACTERS].join(map(str, values))[:JOINED_CHARACTERS]


def _round(value: float, digits: int = 0) -> float:
    return round(value, max(0, min(int(digits), DIGITS_AT_MOST)))


_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_ENVIRONMENT.filters = {name: _ENVIRONMENT.filters[name] for name in FILTERS}
_ENVIRONMENT.filters |= {"join": _join, "round": _round}
_ENVIRONMENT.globals = {}


def template_problems(text: str) -> list[str]:
    """What is wrong with a template, in sentences; nothing where it can be used."""
    try:
        render(text, EXAMPLE)
    except TemplateError as error:
        return [str(error)]
    return []


def render(text: str, values: Mapping[str, Any]) -> str:
    """The template with its values; raises TemplateError, whose text is for its author."""
    try:
        return _filled(_checked(text), values)
    except (RecursionError, MemoryError) as error:
        raise TemplateError("It is nested too deeply.") from error


@lru_cache(maxsize=1_000)
def _checked(text: str) -> Template:
    """The template, which takes much longer to read than to fill; raises TemplateError."""
    if len(text) > TEMPLATE_CHARACTERS:
        raise TemplateError(f"It is longer than {TEMPLATE_CHARACTERS:,} characters.")
    try:
        tree = _ENVIRONMENT.parse(text)
        for problem in _problems(tree):
            raise TemplateError(problem)
        return _ENVIRONMENT.from_string(tree)
    except TemplateSyntaxError as error:
        raise TemplateError(f"Line {error.lineno}: {error.message}") from error
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateError("It is nested too deeply.") from error


def _filled(template: Template, values: Mapping[str, Any]) -> str:
    parts, length = list[str](), 0
    try:
        for part in template.generate(values):
            parts.append(part)
            length += len(part)
            if length > RESULT_CHARACTERS:
                raise TemplateError(f"The result is longer than {RESULT_CHARACTERS:,} characters.")
    except TemplateError:
        raise
    except Exception as error:  # whatever filters raise is the fault of the template
        raise TemplateError(f"It cannot be filled: {str(error)[:200].rstrip('.')}.") from error
    return "".join(parts)


def _problems(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _NODES):
            what = next((name for kind, name in _NAMES.items() if isinstance(node, kind)), None)
            yield f"Line {node.lineno}: {what or type(node).__name__} is not possible here."
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            yield f"Line {node.lineno}: there is no filter {node.name!r}; use {_list(FILTERS)}."
        if isinstance(node, nodes.For) and any(node.find_all(nodes.For)):
            yield f"Line {node.lineno}: a loop inside a loop is not possible here."
        if isinstance(node, nodes.For) and not _is_labels(node.iter):
            yield f"Line {node.lineno}: only `labels` can be gone through."
    loops = {name.name for each in tree.find_all(nodes.For) for name in _targets(each)}
    for name in tree.find_all(nodes.Name):
        if name.name not in EXAMPLE and name.name not in loops | {"loop"}:
            yield f"Line {name.lineno}: there is no value {name.name!r}; use {_list(EXAMPLE)}."


def _is_labels(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "labels"


def _targets(loop: nodes.For) -> Iterator[nodes.Name]:
    if isinstance(loop.target, nodes.Name):
        yield loop.target
    yield from loop.target.find_all(nodes.Name)


def _list(names: Any) -> str:
    return ", ".join(names)
