"""Routes and fields declare what is true of them: no table elsewhere lists their names."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from graphql import is_object_type

from gateway.routes import ROUTES
from schema import schema
from schema.internals import core
from tests.test_layout import ROOT

FOLDERS = ("gateway", "schema", "resolvers", "access")
DECLARATIONS = "gateway/routes.py"
# File, text, and why it stands there.
ALLOWED = {
    ("gateway/processes/runner.py", "/graphql"): "printed for the person who starts the gateway",
    ("gateway/processes/runner.py", "/v1/events"): "printed for the person who starts the gateway",
    ("gateway/processes/runner.py", "/metrics"): "printed for the person who starts the gateway",
    ("gateway/processes/runner.py", "/ready"): "polled until the gateway is up",
    ("gateway/processes/worker.py", "/health"): "a route of the worker's own server",
    ("gateway/processes/worker.py", "/ready"): "a route of the worker's own server",
    ("gateway/processes/worker.py", "/live"): "a route of the worker's own server",
    ("gateway/processes/worker.py", "/metrics"): "a route of the worker's own server",
    ("gateway/cli/asking.py", "/graphql"): "asked over HTTP, as any client asks",
    ("gateway/cli/logs.py", "logLines"): "asked over HTTP, as any client asks",
    ("gateway/cli/logs.py", "functions, projects"): "filters of a question asked over HTTP",
    ("schema/things/log_links.py", "LogLine"): "the type that a field leads to, imported later",
    ("gateway/cli/verdict.py", "deploymentVerdict"): "asked over HTTP, as any client asks",
    ("gateway/cli/demo_alerts.py", "/demo/inbox"): "where the demo's own messages are sent",
    ("schema/things/alerts.py", "AlertExplanation"): "the type of a field, imported later",
    ("resolvers/alert_nodes.py", "NotificationChannel"): "the kind that ids of channels begin with",
    ("resolvers/error_changes.py", "ErrorComment"): "the kind that ids of comments begin with",
    ("resolvers/error_fields.py", "ErrorComment"): "the kind that ids of comments begin with",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What may not be named: paths of routes, root fields and object types."""

    paths: frozenset[str]
    fields: frozenset[str]
    types: frozenset[str]

    def is_telling(self, text: str) -> bool:
        """Whether a text can mean nothing but a route, a root field or a type.

        A single word such as `project` is also a column, an argument or a claim.
        """
        is_several_words = text[1:].lower() != text[1:]
        return text in self.paths or (is_several_words and text in self.fields | self.types)


def declared() -> Names:
    built = core(schema)
    roots = [built.query_type, built.mutation_type, built.subscription_type]
    return Names(
        paths=frozenset(route.path for route in ROUTES) - {"/"},
        fields=frozenset(name for root in roots if root for name in root.fields),
        types=frozenset(
            name
            for name, kind in built.type_map.items()
            if is_object_type(kind) and not name.startswith("__")
        ),
    )


def findings(root: Path, names: Names) -> Iterator[tuple[str, str]]:
    """The file and the text of each name, and of each collection that lists two names or more."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            file = str(path.relative_to(root))
            if file != DECLARATIONS:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                yield from ((file, text) for text in sorted(set(_named(tree, names))))


def _named(tree: ast.AST, names: Names) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from filter(names.is_telling, _texts([node]))
        listed = _texts(_items(node)) & (names.fields | names.types)
        if len(listed) > 1 and not any(names.is_telling(text) for text in listed):
            yield ", ".join(sorted(listed))


def _items(node: ast.AST) -> Iterable[ast.AST | None]:
    if isinstance(node, ast.Dict):
        return node.keys
    return node.elts if isinstance(node, ast.Set | ast.List | ast.Tuple) else ()


def _texts(nodes: Iterable[ast.AST | None]) -> set[str]:
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_table_names_routes_fields_or_types() -> None:
    found = set(findings(ROOT, declared()))
    assert found - ALLOWED.keys() == set(), "declare it at the route, the field or the type"
    assert ALLOWED.keys() - found == set(), "no longer needed in ALLOWED"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PUBLIC = {'/health'}", ["/health"]),
        ("path = f'{address}/health'", ["/health"]),
        ("KEPT = ('deploymentStats',)", ["deploymentStats"]),
        ("WEIGHTS = {'viewer': 1, 'nodes': 2}", ["nodes, viewer"]),
        ("if field == 'deploymentStats': ...", ["deploymentStats"]),
        ("WEIGHTS = {'DeploymentStats': 10}", ["DeploymentStats"]),
        ("row['project']", []),
        ("COLUMNS = {'project': 1, 'slug': 2}", []),
        ("'''Serves /health.'''", []),
    ],
)
def test_names_are_found(tmp_path: Path, text: str, expected: list[str]) -> None:
    names = Names(
        frozenset({"/health"}),
        frozenset({"deploymentStats", "viewer", "nodes", "project"}),
        frozenset({"DeploymentStats"}),
    )
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "some.py").write_text(text)
    (tmp_path / "gateway" / "routes.py").write_text("path = '/health'")
    assert [found for _, found in findings(tmp_path, names)] == expected
