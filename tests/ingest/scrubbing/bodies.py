"""Generated bodies of errors, and values planted in them."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

_WORDS = st.sampled_from(
    [
        "request failed",
        "user",
        "checkout",
        "index.py",
        "GET /cart",
        "retry 3 of 5",
        "a=1&b=2",
        "ünï",
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A body such as an SDK sends, with something in every part."""
    frames = [
        {
            "function": draw(_WORDS),
            "filename": "app/views.py",
            "lineno": 3,
            "vars": {"value": draw(_WORDS)},
            "context_line": "    raise ValueError(value)",
        }
        for _ in range(draw(st.integers(1, 3)))
    ]
    error = {"type": "ValueError", "value": draw(_WORDS), "stacktrace": {"frames": frames}}
    return {
        "message": draw(_WORDS),
        "exception": {"values": [error]},
        "request": {
            "url": "https://shop.example.org/cart",
            "headers": {"Accept": "*/*"},
            "query_string": "page=2",
            "data": {"item": draw(_WORDS)},
        },
        "breadcrumbs": {"values": [{"message": draw(_WORDS), "data": {"status": 200}}]},
        "tags": {"browser": "Firefox"},
        "extra": {"list": [1, draw(_WORDS)]},
        "contexts": {"runtime": {"name": "CPython"}},
    }  # fmt: skip


def planted(
    body: dict[str, Any], name: str | None, value: str, data: st.DataObject
) -> dict[str, Any]:
    """A copy of the body with a value under a name, or without one in any text, list or name."""
    body = deepcopy(body)
    if name is None:
        _put(body, value, data)
        return body
    place = data.draw(st.sampled_from(_PLACES))
    place(body, name, value)
    return body


def _put(body: dict[str, Any], value: str, data: st.DataObject) -> None:
    place = data.draw(
        st.sampled_from(["message", "exception", "crumb", "extra", "tag", "list", "vars", "key"])
    )
    if place == "message":
        body["message"] += f" {value}"
    elif place == "exception":
        body["exception"]["values"][0]["value"] += f" ({value})"
    elif place == "crumb":
        body["breadcrumbs"]["values"][0]["message"] += f": {value}"
    elif place == "extra":
        body["extra"].setdefault("more", {"deeper": []})["deeper"].append(value)
    elif place == "tag":
        body["tags"][f"seen{len(body['tags'])}"] = value
    elif place == "list":
        body["extra"]["list"].append(value)
    elif place == "vars":
        body["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"]["value"] += f"<{value}>"
    else:
        body["extra"][value] = 1


def _in_header(body: dict[str, Any], name: str, value: str) -> None:
    body["request"]["headers"][name] = value


def _in_pairs(body: dict[str, Any], name: str, value: str) -> None:
    body["request"]["cookies"] = [[name, value]]


def _in_data(body: dict[str, Any], name: str, value: str) -> None:
    body["request"]["data"]["form"] = [{name: {"nested": value}}]


def _in_locals(body: dict[str, Any], name: str, value: str) -> None:
    body["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"][name] = repr(value)


def _in_breadcrumb(body: dict[str, Any], name: str, value: str) -> None:
    body["breadcrumbs"]["values"].append({"data": {name: value}})


def _in_extra(body: dict[str, Any], name: str, value: str) -> None:
    body["extra"][name] = value


_PLACES = [_in_header, _in_pairs, _in_data, _in_locals, _in_breadcrumb, _in_extra]
