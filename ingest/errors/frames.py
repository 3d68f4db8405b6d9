"""Decides which frames of a stack trace tell errors apart, and what they are called."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from ingest.errors.parts import Json

_LONGEST_NAME = 500
# Of a script whose names and places change with each build.
_WIDEST_LINE = 500
_SHORTEST_NAME = 3
_DEEP_RECURSION = 8

_FOLDERS_OF_LIBRARIES = (
    r"(?:site-packages|dist-packages|node_modules|bower_components|gems|pkg/mod|vendor|Pods|\.cargo"
    r"|lib/python[0-9.]*|lib/ruby/[0-9.]*|rustc|go[0-9.]*/src(?!/[\w-]+\.[a-z]))"
)
_OF_LIBRARY = re.compile(
    rf"(?:^|/){_FOLDERS_OF_LIBRARIES}/|^(?:node:|internal/|native |<frozen )|-extension://"
    r"|/usr/lib/|/Windows/System32/|/dotnet/shared/"
    r"|(?:^|/)(?:polyfills?|vendors?|chunk-vendors|zone|runtime)(?:[-.~][\w~-]{4,64})?\.[cm]?js$"
)
# Packages of languages and frameworks, for frames without a path.
_SYSTEM_MODULES = {
    "java": re.compile(
        r"(?:javax?|jakarta|jdk|sun|com\.sun|kotlinx?|scala|groovy|androidx?|com\.android|dalvik"
        r"|org\.(?:springframework|apache|hibernate|eclipse|junit)|com\.google|com\.fasterxml"
        r"|io\.(?:netty|undertow|reactivex)|reactor|okhttp3|akka|clojure)\."
    ),
    "csharp": re.compile(r"(?:System|Microsoft)(?:[.+]|$)"),
    "go": re.compile(r"(?:runtime|syscall|net|net/.*|testing|reflect|internal/.*)$"),
    "rust": re.compile(r"<?(?:core|std|alloc|tokio)::"),
}

_ADDRESS = re.compile(r"^[a-zA-Z][\w+.-]{1,30}://[^/?#]*")
_TO_LIBRARY = re.compile(rf".*/{_FOLDERS_OF_LIBRARIES}/")
# Folders in which machines, containers and deployments keep an app.
_OF_MACHINE = re.compile(
    r"^(?:[a-zA-Z]:)?/(?:(?:home|Users)/[^/]*|usr/src(?:/app)?|usr/local/app|var/www(?:/html)?"
    r"|var/task|srv|opt|app|code|root|workspace|builds?|src|(?:private/)?(?:var/)?tmp)/"
)
_VERSION = re.compile(
    r"(?:@|(?<=[A-Za-z])[-_.])?v?[0-9]+(?:\.[0-9]+){1,4}(?:[-.](?:rc|alpha|beta|SNAPSHOT)[0-9.]*)?"
    r"(?=[/.@_-]|$)"
)
# A bundler's eight characters that are no word (`index-Dk3_sd1a.js`), hexadecimal digits, dates.
_HASH = re.compile(
    r"[-.](?=[A-Za-z_-]*[0-9]|[a-z]*[A-Z][A-Za-z]*[a-z][A-Z]|[A-Z]{8})[A-Za-z0-9_-]{8}"
    r"(?=(?:\.chunk|\.bundle|\.min)*\.[cm]?js$)"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9])[0-9]{8,20}(?![0-9])"
    r"|[-._~/]?(?<![0-9A-Za-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{6,64}(?![0-9A-Za-z])"
)
_SCRIPT = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte|bundle|jsbundle)$")
_MINIFIED_FILE = re.compile(r"[-.]min\.[cm]?js$|\.(?:jsbundle|bundle)$")

# What compilers and runtimes add to the names of functions and classes.
_ADDED = re.compile(
    r"::h[0-9a-f]{16}$|\$\$Lambda.*|\$\$(?:Enhancer|FastClass)\w{0,100}\$\$[0-9a-f]+"
    r"|(?<=\$)[0-9]+(?=\W|$)|(?<=\$Proxy)[0-9]+|(?<=Accessor)[0-9]+|(?<=\.func)[0-9.]+(?=\.|$)"
    r"|^(?:block|rescue|ensure) (?:\([0-9]+ levels?\) )?in |(?<=\{closure)[^}]{0,300}"
    r"|(?<=class@anonymous).{1,500}|\|[0-9_]+|(?<=>[a-z]__)[0-9_]+|(?<=closure )#[0-9]+"
    r"|, Version=.*|0x[0-9a-fA-F]+"
)
_ADDED_TO_SCRIPTS = re.compile(r"^(?:(?:new|async|get|set) )+|\s*\[as [^\]]{0,200}\]$|(?:/<)+$")
_ANONYMOUS = frozenset({"?", "<anonymous>", "anonymous", "(anonymous)", "<unknown>", "null"})
# The module of a script that runs directly; its file says more.
_NO_MODULES = frozenset({"", "__main__", "main"})


class Call(NamedTuple):
    """What a frame's texts tell."""

    name: str  # `<file or module> in <function>`
    function: str  # without what compilers add; empty if it has none
    is_own: bool  # the file and the module are of no library
    is_scripted: bool
    is_minified: bool  # names and places change with each build of a script


def call_of(frame: Json, platform: str) -> Call:
    get = frame.get
    return _call(
        get("platform") or platform,
        get("function", "")[:_LONGEST_NAME],
        get("module", "")[:_LONGEST_NAME],
        get("filename", "")[:_LONGEST_NAME],
        get("abs_path", "")[:_LONGEST_NAME],
    )


def telling(traces: list[list[Json]], platform: str) -> tuple[bool, tuple[str, ...]]:
    """The names of the app's own frames in all traces, or of all frames if none is the app's own.

    The first part of the answer says which.
    """
    readable = [[_told(frame, platform) for frame in trace] for trace in traces]
    readable = [[told for told in trace if not told[2]] for trace in readable]
    own = [_in_app(trace) for trace in readable]
    told = own if any(own) else readable
    names = chain.from_iterable(distinct_names(call.name for call, *_ in trace) for trace in told)
    return any(own), tuple(names)


def innermost(frames: list[Json], platform: str) -> Json:
    """The innermost frame of the app's own code, else the innermost one."""
    own = _in_app([_told(frame, platform) for frame in frames])
    return own[-1][3] if own else frames[-1] if frames else {}


_Told = tuple[Call, bool | None, bool, Json]  # with the SDK's mark, and whether it is minified


def _told(frame: Json, platform: str) -> _Told:
    call, column = call_of(frame, platform), frame.get("colno", 0)
    is_wide = call.is_scripted and isinstance(column, int) and column > _WIDEST_LINE
    return call, frame.get("in_app"), call.is_minified or is_wide, frame


def distinct_names(called: Iterable[str]) -> list[str]:
    """The names, each once, as they are first called.

    So the depth of a recursion does not matter, nor where in it an error occurs. If even the
    outermost frame is repeated many times, the trace was cut within a recursion: then the repeated
    ones are sorted.
    """
    names = list(called)
    distinct = [name for name in dict.fromkeys(names) if name]
    if not distinct or names.count(distinct[0]) < _DEEP_RECURSION:
        return distinct
    repeated = {name for name in distinct if names.count(name) >= _DEEP_RECURSION - 1}
    return sorted(repeated) + [name for name in distinct if name not in repeated]


def is_anonymous(name: str) -> bool:
    return name.endswith((" in <anonymous>", " in <module>", " in <lambda>"))


def _in_app(trace: list[_Told]) -> list[_Told]:
    """The frames of the app's own code.

    An SDK that tells some frames apart is believed. Otherwise the folders and packages of libraries
    tell; if all frames are of libraries, those count that the SDK marks, unless it marks all.
    """
    marked = [told for told in trace if told[1] is True]
    unmarked = [told for told in trace if told[1] is None]
    own = [told for told in trace if told[0].is_own]
    if len(marked) + len(unmarked) < len(trace):
        return marked or [told for told in unmarked if told[0].is_own]
    return own or (marked if unmarked else [])


@lru_cache(maxsize=8_192)
def _call(platform: str, called: str, module: str, filename: str, abs_path: str) -> Call:
    path = filename or abs_path
    is_script = _SCRIPT.search(path.partition("?")[0]) is not None
    is_scripted = is_script or platform in ("javascript", "node")
    function = _function(called.strip(), is_scripted)
    is_python = path.endswith(".py") or platform == "python"
    if module in _NO_MODULES or (path and is_scripted):
        file = _file(path)
    else:
        file = module if is_python else _ADDED.sub("", _VERSION.sub("", module)).rstrip("$+.")
    if is_python:  # a trace as text has only paths, which begin with folders of the machine
        dotted = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        file = ".".join(dotted.rsplit(".", 2)[-2:])
    return Call(
        f"{file or '?'} in {function or '<anonymous>'}" if file or function else "",
        function,
        not _is_of_library(abs_path or filename, module, platform),
        is_scripted,
        is_scripted and (0 < len(function) < _SHORTEST_NAME or _has_hash(path)),
    )


def _is_of_library(path: str, module: str, platform: str) -> bool:
    modules = _SYSTEM_MODULES.get(platform)
    return bool(_OF_LIBRARY.search(path.replace("\\", "/")) or (modules and modules.match(module)))


def _has_hash(path: str) -> bool:
    """Whether a script's name says that it is minified, or holds a hash of its contents."""
    name = plain_path(path).rpartition("/")[2]
    return bool(_MINIFIED_FILE.search(name) or (_SCRIPT.search(name) and _HASH.search(name)))


def _function(name: str, is_scripted: bool) -> str:
    if name.isidentifier():
        return name
    if is_scripted:
        name = _ADDED_TO_SCRIPTS.sub("", name).rpartition(".")[2].removeprefix("#")
    return "" if name.lower() in _ANONYMOUS else _ADDED.sub("", name).rstrip("$")


def _file(path: str) -> str:
    """What names the file in every release and on every machine.

    Of an absolute path, that is what follows a library's folder, or at most its last two names.
    """
    plain = plain_path(path)
    if plain.startswith("/") or plain[1:3] == ":/":
        within = _TO_LIBRARY.sub("", plain, count=1)
        if within == plain:
            within = "/".join(_OF_MACHINE.sub("", plain).lstrip("/").split("/")[-2:])
        plain = within
    return _VERSION.sub("", _HASH.sub("", plain)).strip("/.")


def plain_path(path: str) -> str:
    """The path without scheme, host and query; that of a web address is relative."""
    path = path.replace("\\", "/").removeprefix("file://").partition("?")[0]
    within = _ADDRESS.sub("", path, count=1)
    return path if within == path else within.lstrip("/.")
