"""A minified script with its source map, and the stack trace of the error that it raises.

Made with `esbuild checkout.ts --bundle --minify --sourcemap --target=es2022`; the map holds the
sources.
"""

from pathlib import Path
from typing import Any

SCRIPT = (Path(__file__).parent / "checkout.min.js").read_bytes()
MAP = (Path(__file__).parent / "checkout.min.js.map").read_bytes()

SENT = "https://shop.example.com/static/checkout.min.js?v=7"
URL = "~/static/checkout.min.js"
# As Node.js prints it: function, line and column, the innermost call first.
TRACE = (
    ("i", 1, 71),
    ("s", 1, 161),
    ("o.submitOrder", 1, 268),
    ("u", 1, 341),
    ("<anonymous>", 1, 357),
)
# The same places in the sources, with the script at URL.
SOURCES = (
    ("totalOf", "src/prices.ts", 11, 11),
    ("applyDiscount", "src/checkout.ts", 4, 17),
    ("Checkout.submitOrder", "src/checkout.ts", 12, 19),
    ("main", "src/checkout.ts", 18, 27),
    ("<anonymous>", "src/checkout.ts", 21, 1),
)


def frames() -> list[dict[str, Any]]:
    """The frames as an SDK sends them, the outermost first."""
    return [
        {"function": function, "abs_path": SENT, "filename": SENT, "lineno": line, "colno": column}
        for function, line, column in reversed(TRACE)
    ]


def body(**fields: Any) -> dict[str, Any]:
    """The event that an SDK sends of the error."""
    failure = {"type": "Error", "value": "the order has no lines"}
    values = [{**failure, "stacktrace": {"frames": frames()}}]
    return {"platform": "javascript", "exception": {"values": values}, **fields}
