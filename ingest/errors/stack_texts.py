"""Reads stack traces as runtimes print them into exceptions as Sentry's SDKs send them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.errors.frames import call_of
from ingest.errors.parts import Json

_LONGEST_TEXT, _LONGEST_LINE, _MOST_LINES, _MOST_EXCEPTIONS = 100_000, 1_000, 1_500, 20
_MORE = re.compile(r"\t\.\.\. ([0-9]{1,4}) (?:more|common frames omitted)")
_INNER_ENDS = "--- End of inner exception stack trace ---"


@dataclass(frozen=True)
class _Language:
    """How a runtime prints exceptions.

    `head` matches the line of an exception, with the groups type, value and perhaps cause; `frame`
    that of a frame, with function, file, line and perhaps module and column. The outermost
    exception and the innermost frame come first; in Python the last, and heads after frames.
    """

    platform: str
    head: re.Pattern[str]
    frame: re.Pattern[str]
    prepare: Callable[[str], str] = str
    has_packages: bool = False


def frames_of_text(text: str) -> list[Json]:
    """The chain of exceptions in a stack trace, root cause first; empty if the text is none."""
    for language in _LANGUAGES:
        lines = language.prepare(text[:_LONGEST_TEXT]).splitlines()[:_MOST_LINES]
        traces = _read(language, [line[:_LONGEST_LINE].rstrip() for line in lines])
        if any(trace["stacktrace"]["frames"] for trace in traces):
            order = 1 if language is _PYTHON else -1
            for trace in traces:
                trace["stacktrace"]["frames"] = trace["stacktrace"]["frames"][::order]
            return traces[::order][-_MOST_EXCEPTIONS:]
    return []


def _read(language: _Language, lines: Sequence[str]) -> list[Json]:
    """The exceptions and their frames in the order of the text."""
    traces: list[Json] = []
    # The exception that frames belong to is the last; .NET prints those of inner ones first.
    current: list[Json] = []
    for line in lines:
        head, frame = language.head.match(line), language.frame.match(line)
        if head and (language is _PYTHON or not traces or head.groupdict().get("cause")):
            if language is not _PYTHON:
                traces.append({"stacktrace": {"frames": []}})
                current.append(traces[-1])
            elif not traces or "type" in traces[-1]:
                continue
            traces[-1] |= _described(language, head)
        elif _INNER_ENDS in line and len(current) > 1:
            current.pop()
        elif (more := _MORE.match(line)) and len(traces) > 1:
            shared = traces[-2]["stacktrace"]["frames"][-int(more[1]) :]
            traces[-1]["stacktrace"]["frames"] += shared
        if frame:
            if not current or (language is _PYTHON and "type" in traces[-1]):
                traces.append({"stacktrace": {"frames": []}})
                current.append(traces[-1])
            current[-1]["stacktrace"]["frames"].append(_frame(language, frame))
    return traces


def _described(language: _Language, head: re.Match[str]) -> Json:
    module, _, kind = (
        head["type"].rpartition(".") if language.has_packages else ("", "", head["type"])
    )
    found = {"type": kind, "value": (head["value"] or "").strip(), "module": module}
    return {name: text for name, text in found.items() if text}


def _frame(language: _Language, match: re.Match[str]) -> Json:
    groups = match.groupdict()
    function = groups["function"] or groups.get("gecko")
    found = {"function": function, "module": groups.get("module"), "filename": groups["file"]}
    frame: Json = {name: text.strip() for name, text in found.items() if text}
    for name, group in (("lineno", "line"), ("colno", "column")):
        if groups.get(group):
            frame[name] = int(groups[group])
    own = call_of(frame, language.platform).is_own
    return frame | {"platform": language.platform, "in_app": own}


def _of_python(text: str) -> str:
    """Without the frame around a group of exceptions, and without its members."""
    return re.sub(r"^ *[|+] ?", "", text.partition("+-+-")[0], flags=re.MULTILINE)


def _of_ruby(text: str) -> str:
    """The type and message on a line of their own before the frame."""
    return re.sub(
        r"^([^\s:][^\n:]{0,300}:[0-9]+:in [`'][^\n']{1,200}'): ([^\n]*) \(([\w:]{1,200})\)$",
        r"\3: \2\n\1",
        text,
        flags=re.MULTILINE,
    )


def _of_go(text: str) -> str:
    """The first goroutine, each function and its place on one line."""
    return "\n\ngoroutine ".join(text.split("\n\ngoroutine ", 2)[:2]).replace("\n\t", " \t")


def _of_php(text: str) -> str:
    """A frame has the place before its function: each line with the one that follows."""
    lines = text.replace("\nStack trace:\n", "\n").splitlines()
    pairs = pairwise(line[:400] for line in lines)
    return "\n".join(f"{line}\x1f{following.replace('->', '::')}" for line, following in pairs)


_PYTHON = _Language(
    "python",
    re.compile(r"(?P<type>[A-Za-z_][\w.]{0,200})(?:: ?(?P<value>.*))?$"),
    re.compile(r' {1,20}File "(?P<file>[^"]{1,500})", line (?P<line>[0-9]+), in (?P<function>.+)'),
    _of_python,
    has_packages=True,
)
_LANGUAGES = (
    _PYTHON,
    _Language(
        "java",
        re.compile(
            r"(?:Exception in thread \"[^\"]{0,200}\" |(?P<cause>Caused by: ))?"
            r"(?P<type>[\w$]{1,100}(?:\.[\w$]{1,100}){0,15})(?:: (?P<value>.*))?$"
        ),
        re.compile(
            r"(?:\t| {2,8})at (?:[\w.@-]{0,100}/){0,2}(?P<module>[\w$.<>-]{1,400})"
            r"\.(?P<function>[\w$<>-]{1,200})\((?P<file>[\w$-]{1,200}\.\w{1,10}|Native Method"
            r"|Unknown Source|SourceFile)(?::(?P<line>[0-9]{1,9}))?\)"
        ),
        has_packages=True,
    ),
    _Language(
        "javascript",
        re.compile(
            r"(?:Uncaught )?(?:\(in promise\) )?\s{0,20}(?P<cause>\[cause\]: )?"
            r"(?P<type>[A-Za-z_$][\w$.]{0,100})(?:: (?P<value>.*))?$"
        ),
        re.compile(
            r"(?:\s{0,20}at (?:(?P<function>[^()\s][^()]{0,300}) \()?|(?P<gecko>[^@\s]{0,300})@)"
            r"(?P<file>[^()\s]{1,500}):(?P<line>[0-9]{1,9}):(?P<column>[0-9]{1,9})\)?(?: \{)?$"
        ),
    ),
    _Language(
        "php",
        re.compile(
            r"(?:.{0,100}Uncaught )?(?P<type>[A-Za-z_][\w\\]{0,200})(?:: (?P<value>.{0,400}?))?"
            r" in [^\s:]{1,300}:[0-9]+\x1f#0 "
        ),
        re.compile(
            r"(?:.{0,400} in |#[0-9]+ )(?P<file>[^\s:(]{1,300})[:(](?P<line>[0-9]{1,9})[^\x1f]*"
            r"\x1f#[0-9]+ (?:[^:]{1,300}: (?P<function>[^({]{1,300})[({]|\{main\})"
        ),
        _of_php,
    ),
    _Language(
        "ruby",
        re.compile(r"(?P<type>[A-Z]\w{0,100}(?:::\w{1,100}){0,10}): (?P<value>.*)$"),
        re.compile(
            r"\s{0,20}(?:from )?(?P<file>[^\s:][^:]{0,300}):(?P<line>[0-9]{1,9})"
            r":in [`'](?P<function>[^'`]{1,300})'"
        ),
        _of_ruby,
    ),
    _Language(
        "go",
        re.compile(r"(?P<type>panic|fatal error): (?P<value>.*?)(?: \[recovered\])?$"),
        re.compile(
            r"(?!runtime[./]|testing\.)(?P<module>(?:[\w.~-]{1,100}/){0,10}[\w~-]{1,100})"
            r"\.(?P<function>[\w.*()\[\]\u00b7-]{1,300}?)(?:\([^()]{0,500}\))? \t"
            r"(?P<file>[^\t]{1,500}):(?P<line>[0-9]{1,9})(?: \+0x[0-9a-f]+)?$"
        ),
        _of_go,
    ),
    _Language(
        "csharp",
        re.compile(
            r"(?:Unhandled exception\.? ?)?(?P<cause> ?---> )?"
            r"(?P<type>[A-Za-z_][\w.+`]{0,200}): (?P<value>.*)$"
        ),
        re.compile(
            r"\s{1,20}at (?P<module>[\w.+<>`|\[\], ]{1,400}?)\.(?P<function>\.?[\w<>`"
            r"|\[\],]{1,200})"
            r"\([^()]{0,500}\)(?: in (?P<file>.{1,500}):line (?P<line>[0-9]{1,9}))?$"
        ),
        lambda text: text.replace(" ---> ", "\n ---> "),
    ),
)
