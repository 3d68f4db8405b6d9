"""Reads the stack traces of Python, Ruby, PHP and Go."""

import re
from itertools import pairwise

from ingest.errors.shapes import Json
from ingest.errors.traces import Trace, frame_of, joined, split_type

_PYTHON_START = "Traceback (most recent call last):"
_PYTHON_FRAME = re.compile(
    r'\s{1,20}File "(?P<file>[^"]{1,500})", line (?P<line>[0-9]{1,9}), in (?P<function>.{1,300})$'
)
_PYTHON_HEAD = re.compile(r"(?P<type>[A-Za-z_][\w.]{0,200})(?:: ?(?P<value>.*))?$")
_PYTHON_GROUP = re.compile(r"\s{0,40}[|+] ?")
_PYTHON_CHAINED = (
    "During handling of the above exception",
    "The above exception was the direct cause",
)

_RUBY_FRAME = re.compile(
    r"\s{0,20}(?:from )?(?P<file>[^\s:][^:]{0,300}):(?P<line>[0-9]{1,9}):in [`'](?P<function>[^'`]{"
    r"1,300})'"
    r"(?:: (?P<value>.*?)(?: \((?P<type>[A-Z]\w{0,100}(?:::\w{1,100}){0,10})\))?)?$"
)
_RUBY_HEAD = re.compile(
    r"(?P<type>[A-Z]\w{0,100}(?:::\w{1,100}){0,10})(?: \((?P<message>.*)\):?|: (?P<value>.*))$"
)

_PHP_HEAD = re.compile(
    r"(?:.{0,100}?Uncaught )?(?P<type>\\?[A-Za-z_][\w\\]{0,200})(?:: (?P<value>.*?))? in (?P<file>["
    r"^\s].{0,300}?)(?::(?P<line>[0-9]{1,9})| on line .*)$"
)
_PHP_FRAME = re.compile(
    r"#[0-9]{1,4} (?:(?P<file>.{1,300}?)\((?P<line>[0-9]{1,9})\)"
    r"|\[internal function\]): (?P<function>[^(]{1,300})\(.*$|#[0-9]{1,4} \{main\}"
)

_GO_HEAD = re.compile(r"(?:panic|fatal error): (?P<value>.*?)(?: \[recovered\])?$")
_GO_START = re.compile(r"goroutine [0-9]{1,12} \[[^\]]{1,100}\]:$")
_GO_FUNCTION = re.compile(
    r"(?P<module>(?:[\w.~-]{1,100}/){0,10}[\w~-]{1,100})\.(?P<function>[\w.*()\[\]\u00b7-]{1,300}?)"
    r"(?:\([^()]{0,500}\))?$"
)
_GO_PLACE = re.compile(r"\t(?P<file>.{1,500}):(?P<line>[0-9]{1,9})(?: \+0x[0-9a-f]{1,16})?$")
_GO_RUNTIME = frozenset({"runtime", "runtime/debug", "testing"})


def read_python(lines: list[str]) -> list[Json]:
    """Returns the chain of a Python traceback."""
    traces: list[Trace] = []
    starts = [index for index, line in enumerate(lines) if _PYTHON_START in line]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        if trace := _python_trace(lines[start + 1 : end]):
            traces.append(trace)
        if (
            "Group" in lines[start]
        ):  # what follows are the members, of which each has a trace of its own
            break
    return [trace.as_json(innermost_first=False) for trace in traces]


def _python_trace(lines: list[str]) -> Trace | None:
    trace = Trace()
    for index, line in enumerate(lines):
        plain = _PYTHON_GROUP.sub("", line, count=1) if line.lstrip()[:1] in ("|", "+") else line
        if frame := _PYTHON_FRAME.match(plain):
            trace.frames.append(frame_of(frame, "python"))
        elif head := _PYTHON_HEAD.match(plain):
            trace.module, trace.error_type = split_type(head["type"])
            trace.value = joined([head["value"] or "", *_python_rest(lines[index + 1 :])])
            break
    return trace if trace.frames else None


def _python_rest(lines: list[str]) -> list[str]:
    """Returns the further lines of a message, which end where the chain goes on."""
    end = next(
        (
            index
            for index, line in enumerate(lines)
            if line.startswith(_PYTHON_CHAINED) or "+--" in line
        ),
        len(lines),
    )
    return lines[:end]


def read_ruby(lines: list[str]) -> list[Json]:
    """Returns the exception of a Ruby backtrace."""
    trace = Trace()
    for line in lines:
        if frame := _RUBY_FRAME.match(line):
            trace.frames.append(frame_of(frame, "ruby"))
            if frame["type"]:
                trace.error_type, trace.value = frame["type"], frame["value"]
        elif not trace.frames and not trace.error_type and (head := _RUBY_HEAD.match(line)):
            trace.error_type, trace.value = head["type"], head["message"] or head["value"] or ""
    return [trace.as_json(innermost_first=True)] if trace.frames else []


def read_php(lines: list[str]) -> list[Json]:
    """Returns the exception of a PHP stack trace.

    Its lines name a function and the place that called it.
    """
    frames = [match for line in lines if (match := _PHP_FRAME.match(line))]
    head = next((match for line in lines if frames and (match := _PHP_HEAD.match(line))), None)
    if head is None:
        return []
    places = [frame_of(head, "php"), *(frame_of(match, "php") for match in frames)]
    trace = Trace(head["type"].lstrip("\\"), head["value"] or "")
    for place, match in zip(places, frames, strict=False):
        place.pop("function", None)
        if match["function"]:
            place["function"] = match["function"].replace("->", "::")
        trace.frames.append(place)
    return [trace.as_json(innermost_first=True)]


def read_go(lines: list[str]) -> list[Json]:
    """Returns the panic of the first goroutine, or an error that was printed with its stack."""
    starts = [index for index, line in enumerate(lines) if _GO_START.match(line)]
    trace = Trace("panic" if starts else "error")
    trace.value = next(
        (head["value"] for line in lines if (head := _GO_HEAD.match(line))),
        "" if starts else (lines or [""])[0],
    )
    end = starts[1] if len(starts) > 1 else len(lines)
    for line, following in pairwise(lines[: end + 1]):
        function, place = _GO_FUNCTION.match(line), _GO_PLACE.match(following)
        if (
            function
            and place
            and function["module"] not in _GO_RUNTIME
            and not line.startswith("created by ")
        ):
            trace.frames.append(
                {
                    **frame_of(place, "go"),
                    "module": function["module"],
                    "function": function["function"],
                }
            )
    return [trace.as_json(innermost_first=True)] if trace.frames else []
