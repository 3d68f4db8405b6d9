"""Reads the stack traces whose frames begin with `at`: Java and its kin, JavaScript, .NET."""

import re
from collections.abc import Iterator

from ingest.errors.shapes import Json
from ingest.errors.traces import Trace, frame_of, joined, split_type

_JAVA_FRAME = re.compile(
    r"\s{0,20}at (?:[\w.@-]{0,100}/){0,2}(?P<module>[\w$.<>-]{1,400})\.(?P<function>[\w$<>-]{1,200}"
    r")"
    r"\((?P<file>[\w$-]{1,200}\.\w{1,10}|Native Method|Unknown Source"
    r"|SourceFile)(?::(?P<line>[0-9]{1,9}))?\)"
)
_JAVA_HEAD = re.compile(
    r"(?:Exception in thread \"[^\"]{0,200}\" |(?P<cause>Caused by: ))?"
    r"(?P<type>[a-zA-Z_$][\w$]{0,100}(?:\.[\w$]{1,100}){1,15}|\w{0,100}(?:Exception|Error"
    r"|Throwable))(?:: (?P<value>.*))?$"
)
_JAVA_SUPPRESSED = re.compile(r"\s{1,20}Suppressed: ")
_JAVA_MORE = re.compile(r"\s{1,20}\.\.\. (?P<count>[0-9]{1,4}) (?:more|common frames omitted)")

_SCRIPT_FRAME = re.compile(
    r"\s{0,20}at (?:(?P<function>[^()\s][^()]{0,300}?(?: \[as [^\]]{1,100}\])?) \()?(?P<file>[^()\s"
    r"]{1,500}):(?P<line>[0-9]{1,9}):(?P<column>[0-9]{1,9})\)?$"
)
_GECKO_FRAME = re.compile(
    r"(?P<function>[^@\s][^@]{0,300}|)@(?P<file>(?:https?|file|app|webpack|resource"
    r"|moz-extension)://?[^\s]{1,500}?):(?P<line>[0-9]{1,9})"
    r"(?::(?P<column>[0-9]{1,9}))?$"
)
_SCRIPT_HEAD = re.compile(
    r"(?:Uncaught )?(?:\(in promise\) )?\s{0,20}(?P<cause>\[cause\]: )?(?P<type>[A-Za-z_$][\w$.]{0,"
    r"100})(?: \[\w{1,100}\])?(?:: (?P<value>.*))?$"
)

_DOTNET_FRAME = re.compile(
    r"\s{1,20}at (?P<module>[\w.+<>`|\[\], ]{1,400}?)\.(?P<function>\.?[\w<>`"
    r"|\[\],]{1,200})\((?P<arguments>[^()]{0,500})\)"
    r"(?: in (?P<file>.{1,500}):line (?P<line>[0-9]{1,9}))?$"
)
_DOTNET_HEAD = re.compile(
    r"(?:Unhandled exception\.? ?)?(?P<type>[A-Za-z_][\w.+`]{0,200}): (?P<value>.*)$"
)
_DOTNET_INNER = " ---> "
_DOTNET_END = "--- End of inner exception stack trace ---"


def read_java(lines: list[str]) -> list[Json]:
    """Returns the chain of a Java, Kotlin or Scala stack trace.

    Frames that a cause shares with its wrapper are not printed again; they are filled in.
    """
    traces: list[Trace] = []
    for kind, block, frames in _blocks(lines, _JAVA_FRAME):
        if any(_JAVA_SUPPRESSED.match(line) for line in block):
            continue
        trace = _headed(block, _JAVA_HEAD, is_first=not traces, also=None)
        if trace is None:
            continue
        trace.module, trace.error_type = split_type(trace.error_type)
        trace.frames = [frame_of(match, "java") for match in frames]
        if traces and (more := _JAVA_MORE.match(kind)):
            trace.frames += traces[-1].frames[-int(more["count"]) :] if int(more["count"]) else []
        traces.append(trace)
    return [trace.as_json(innermost_first=True) for trace in reversed(traces)]


def read_script(lines: list[str]) -> list[Json]:
    """Returns the chain of a JavaScript error, as V8, Firefox and Safari print it."""
    for form in (_SCRIPT_FRAME, _GECKO_FRAME):
        traces: list[Trace] = []
        for _, block, frames in _blocks(lines, form):
            trace = _headed(
                block,
                _SCRIPT_HEAD,
                is_first=not traces,
                also=Trace() if form is _GECKO_FRAME else None,
            )
            if trace is not None:
                trace.frames = [frame_of(match, "javascript") for match in frames]
                traces.append(trace)
        if traces:
            return [trace.as_json(innermost_first=True) for trace in reversed(traces)]
    return []


def read_dotnet(lines: list[str]) -> list[Json]:
    """Returns the chain of a .NET exception, whose inner exceptions' frames are printed first."""
    heads = list(_dotnet_heads(lines))
    traces: list[Trace] = []
    frames: list[Json] = []
    for line in lines:
        if _DOTNET_END in line and len(heads) > 1:
            traces.append(Trace(*heads.pop(), frames=frames))
            frames = []
        elif match := _DOTNET_FRAME.match(line):
            frames.append(frame_of(match, "csharp"))
    if not heads or not (traces or frames):
        return []
    traces.append(Trace(*heads.pop(), frames=frames))
    return [trace.as_json(innermost_first=True) for trace in traces]


def _dotnet_heads(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yields type and message of the exceptions, outermost first."""
    for line in lines:
        if _DOTNET_FRAME.match(line):
            return
        for part in line.split(_DOTNET_INNER):
            if head := _DOTNET_HEAD.match(part.strip()):
                yield head["type"], head["value"]


def _blocks(
    lines: list[str], form: re.Pattern[str]
) -> Iterator[tuple[str, list[str], list[re.Match[str]]]]:
    """Yields for each run of frames the line after it, the lines before it, and the frames."""
    block: list[str] = []
    frames: list[re.Match[str]] = []
    for line in lines:
        if match := form.match(line):
            frames.append(match)
        elif frames:
            yield line, block, frames
            block, frames = [line], []
        else:
            block.append(line)
    if frames:
        yield "", block, frames


def _headed(
    block: list[str], form: re.Pattern[str], *, is_first: bool, also: Trace | None
) -> Trace | None:
    """Returns an exception with the type and message that stand before its frames.

    The first may have any head, the following ones must say that they are a cause. `also` is the
    answer where no head is needed.
    """
    for index, line in enumerate(block):
        head = form.match(line)
        if head and (is_first or head["cause"]):
            return Trace(head["type"], joined([head["value"] or "", *block[index + 1 :]]))
    return also if is_first else None
