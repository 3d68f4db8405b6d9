"""Lists files and functions above the sizes of CONTRIBUTING.md; `make lint` prints the list."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parent.parent
FOLDERS = (
    *(
        "gateway",
        "schema",
        "resolvers",
        "dataloaders",
        "alerts",
        "ingest",
        "analytics",
        "access",
        "storage",
    ),
    *("alembic", "benchmarks", "tests"),
)
FUNCTION_LINES = 70
PARAMETERS = 5
FILE_LINES = 300
TEST_FILE_LINES = 500

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Sizes:
    """The lengths of all functions, and a line for each file or function above its limit."""

    functions: list[int]
    outliers: list[str]


def measure(root: Path) -> Sizes:
    functions, outliers = list[int](), list[str]()
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        name, text = str(path.relative_to(root)), path.read_text(encoding="utf-8")
        if (lines := text.count("\n")) > _file_limit(name):
            outliers.append(f"{name}: {lines} lines")
        for function in _functions(ast.parse(text)):
            functions.append(length(function))
            outliers += [f"{name}::{function.name}: {fault}" for fault in _faults(function, name)]
    return Sizes(functions, outliers)


def length(function: Function) -> int:
    """Lines from `def` to the end of the body, decorators apart."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _file_limit(name: str) -> int:
    return TEST_FILE_LINES if name.startswith("tests/") else FILE_LINES


def _faults(function: Function, name: str) -> Iterator[str]:
    if length(function) > FUNCTION_LINES:
        yield f"{length(function)} lines"
    # Parameters of tests are fixtures, those of schema fields are arguments of the API.
    if name.startswith(("tests/", "schema/")):
        return
    arguments = function.args
    own = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    count = len([one for one in own if one.arg not in ("self", "cls")])
    if count > PARAMETERS:
        yield f"{count} parameters"


def main() -> None:
    sizes = measure(ROOT)
    typical, most = median(sizes.functions), quantiles(sizes.functions, n=20)[-1]
    sys.stdout.write(
        f"Sizes: {len(sizes.functions)} functions, median {typical:g} lines, 95 % within {most:g};"
        f" larger than aimed at: {len(sizes.outliers) or 'none'}\n"
    )
    sys.stdout.writelines(f"  {outlier}\n" for outlier in sizes.outliers)


if __name__ == "__main__":
    main()
