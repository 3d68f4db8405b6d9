"""Decides which frames of a stack trace tell errors apart, and what they are called."""

import re
from functools import lru_cache

from ingest.errors.paths import has_bundle_hash, is_script, normalised_path, slashed
from ingest.errors.shapes import Json, text_of

_LONGEST_NAME = 500
_WIDEST_LINE = 500
_SHORTEST_NAME = 3
_DEEP_RECURSION = 8

_SYSTEM_PATH = re.compile(
    r"/(?:site-packages|dist-packages|node_modules|bower_components|gems|pkg/mod|vendor|Pods"
    r"|\.cargo/(?:registry|git))/"
    r"|(?:^|/)(?:lib/python[0-9.]*/|lib/ruby/|rustc/|go[0-9.]*/src/(?![\w-]+\.[a-z])|usr/lib/"
    r"|System/Library/|Windows/System32/|dotnet/shared/)"
    r"|^(?:node:|internal/|native |<frozen |<__array_function__|~?/?webpack/(?:bootstrap|runtime)"
    r"|\(?webpack\)?/)"
    r"|^(?:chrome|moz|safari|safari-web|ms-browser)-extension:"
    r"|(?:^|/)(?:polyfills?|vendors?(?:~[\w~-]{0,100})?|chunk-vendors|zone"
    r"|runtime(?:~main)?)(?:[-.][\w-]{4,64})?(?:\.min)?\.[cm]?js$",
    re.IGNORECASE,
)
# Modules of languages and frameworks, by the platform whose frames may have no path.
_SYSTEM_MODULES = {
    "java": re.compile(
        r"(?:javax?|jakarta|jdk|sun|com\.sun|kotlinx?|scala|groovy|androidx?|dalvik|com\.android"
        r"|com\.google|com\.fasterxml"
        r"|org\.(?:springframework|apache|hibernate|eclipse|jboss|junit|gradle|aspectj|codehaus"
        r"|w3c|xml)|akka|clojure"
        r"|io\.(?:netty|undertow|micrometer|reactivex)|reactor|rx|okhttp3|okio|retrofit2)\."
    ),
    "csharp": re.compile(r"(?:System|Microsoft|mscorlib|Newtonsoft)(?:[.+]|$)"),
    "python": re.compile(
        r"(?:importlib|asyncio|threading|concurrent|gunicorn|uvicorn|starlette|werkzeug|flask"
        r"|django|celery)(?:\.|$)"
    ),
    "go": re.compile(
        r"(?:runtime|syscall|net|net/.*|testing|reflect|sync|encoding/.*|database/sql|internal/.*)$"
    ),
    "rust": re.compile(r"<?(?:core|std|alloc|tokio)::"),
}
_MINIFIED_FILE = re.compile(r"[-.]min\.[cm]?js$|\.(?:jsbundle|bundle|hbc)$")
_ANONYMOUS = frozenset(
    {
        "",
        "?",
        "<anonymous>",
        "anonymous",
        "(anonymous)",
        "<unknown>",
        "null",
        "undefined",
        "global code",
    }
)

# What compilers and runtimes add to the names of functions, by what replaces it.
_ADDED_TO_FUNCTIONS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"::h[0-9a-f]{16}$", ""),
        (r"\$\$Lambda[$/0-9a-fx]*", "$$Lambda"),
        (r"\$\$(?:Enhancer|FastClass)\w{0,100}\$\$[0-9a-f]+", ""),
        (r"(lambda\$\w{1,200}|\$anonfun\$\w{1,200}|\$lambda)\$[0-9]+", r"\1"),
        (r"(\.func)[0-9.]+(?=\.|$)", r"\1"),
        (r"\.gowrap[0-9]+", ""),
        (r"^block (?:\([0-9]+ levels?\) )?in |^(?:rescue|ensure) (?:\([0-9]+ levels?\) )?in ", ""),
        (r"\{closure[^}]{0,300}\}", "{closure}"),
        (r"class@anonymous.{0,500}", "class@anonymous"),
        (r"[gb]__(\w{1,200})\|[0-9_]+", r"\1"),
        (r">[dbg]__[0-9_]+", ">"),
        (r"closure #[0-9]+", "closure"),
        (r" \[clone [^\]]{1,100}\]|\.(?:isra|constprop|part|cold)(?:\.[0-9]+)?", ""),
        (r"\$[0-9]+(?=\W|$)", "$"),
        (r"0x[0-9a-fA-F]+", ""),
    )
)
_SCRIPT_WRAPPING = re.compile(
    r"^(?:new |async |get |set |static )+|\s*\[as [^\]]{0,200}\]$|(?:/<)+$|</.{0,200}$"
)
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w{0,200}")
_MADE_UP_CLASS = re.compile(
    r"\$\$Lambda.*|\$\$(?:Enhancer|FastClass)\w{0,100}\$\$[0-9a-f]+|\$Proxy[0-9]+"
    r"|(?<=\$)[0-9]+(?=\W|$)|(?<=Accessor)[0-9]+"
    r"|(?<=\+)<+|>+[a-z]__.{0,200}|>?[dg]?__[A-Za-z]{0,100}\|[0-9_]+.{0,10}|, Version=.*"
    r"|0x[0-9a-f]+|@[0-9a-f]{6,}"
)
# Runtimes report this for a script that runs directly; its file says more.
_NO_MODULES = frozenset({"__main__", "<unknown module>", "main"})


def names_of(frames: list[Json], platform: str) -> list[str]:
    """Returns the names of frames, each once, in the order in which they are first called.

    So the depth of a recursion does not matter, nor where in it an error occurs. If even the
    outermost frame is repeated many times, the trace was cut within a recursion: then the repeated
    ones are sorted.
    """
    names = [name_of(frame, platform) for frame in frames]
    distinct = [name for name in dict.fromkeys(names) if name]
    if len(names) > _DEEP_RECURSION and distinct and names.count(distinct[0]) >= _DEEP_RECURSION:
        repeated = [name for name in distinct if names.count(name) >= _DEEP_RECURSION - 1]
        return sorted(repeated) + [name for name in distinct if name not in set(repeated)]
    return distinct


def name_of(frame: Json, platform: str) -> str:
    """Returns the frame as `<file or module> in <function>`; empty if it says neither."""
    file, function = _file(frame, platform), function_of(frame, platform)
    return f"{file or '?'} in {function or '<anonymous>'}" if file or function else ""


def is_anonymous(name: str) -> bool:
    return name.endswith((" in <anonymous>", " in <module>", " in <lambda>"))


def function_of(frame: Json, platform: str) -> str:
    """Returns the name of the frame's function without what compilers add; empty if it has none."""
    return _function(text_of(frame.get("function"))[:_LONGEST_NAME], _is_scripted(frame, platform))


def in_app_of(frames: list[Json], platform: str) -> list[Json]:
    """Returns the frames of the app's own code.

    An SDK that tells some frames apart is believed. Otherwise the folders and packages of libraries
    tell; if all frames are in such folders, those count that the SDK marks, unless it marks all.
    """
    marks = [frame.get("in_app") for frame in frames]
    believed = any(mark is False for mark in marks)
    own = [frame for frame in frames if is_own(frame, platform, believed=believed)]
    if own or believed or all(mark is True for mark in marks):
        return own
    return [frame for frame in frames if frame.get("in_app") is True]


def is_own(frame: Json, platform: str, *, believed: bool = False) -> bool:
    """Whether the frame is of the app's own code.

    The SDK's mark tells if it is believed; otherwise the frame's folder and module.
    """
    mark = frame.get("in_app")
    if mark is False or (mark is True and believed):
        return mark is True
    path = slashed(text_of(frame.get("abs_path")) or text_of(frame.get("filename")))
    return not _is_of_library(
        path, text_of(frame.get("module"))[:_LONGEST_NAME], _platform(frame, platform)
    )


def is_minified(frame: Json, platform: str) -> bool:
    """Whether the frame's names and places change with each build of a script."""
    if not _is_scripted(frame, platform):
        return False
    column, path = frame.get("colno"), _path(frame)
    if isinstance(column, int) and column > _WIDEST_LINE:
        return True
    function = _function(text_of(frame.get("function"))[:_LONGEST_NAME], True)
    if function and len(function) < _SHORTEST_NAME:
        return True
    return _MINIFIED_FILE.search(path.partition("?")[0]) is not None or has_bundle_hash(path)


@lru_cache(maxsize=8_192)
def _is_of_library(path: str, module: str, platform: str) -> bool:
    if _SYSTEM_PATH.search(path):
        return True
    modules = _SYSTEM_MODULES.get(platform)
    return modules is not None and modules.match(module) is not None


def _platform(frame: Json, platform: str) -> str:
    return text_of(frame.get("platform")) or platform


def _path(frame: Json) -> str:
    return slashed(text_of(frame.get("filename")) or text_of(frame.get("abs_path")))


def _is_scripted(frame: Json, platform: str) -> bool:
    return _platform(frame, platform) in ("javascript", "node") or is_script(_path(frame))


def _file(frame: Json, platform: str) -> str:
    module = text_of(frame.get("module"))[:_LONGEST_NAME]
    path = _path(frame)
    if module and module not in _NO_MODULES and not (path and _is_scripted(frame, platform)):
        return _module(module, _platform(frame, platform) == "python" or path.endswith(".py"))
    if path.endswith(".py"):
        return _python_module(normalised_path(path))
    return normalised_path(path) if path else module


@lru_cache(maxsize=8_192)
def _module(module: str, is_python: bool) -> str:
    if is_python:
        return _last_two(module)
    return _MADE_UP_CLASS.sub("", normalised_path(module) if "/" in module else module).rstrip(
        "$+."
    )


def _python_module(path: str) -> str:
    return _last_two(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def _last_two(module: str) -> str:
    """Returns the end of a dotted name: its beginning may be missing or a folder of the machine."""
    return ".".join(module.rsplit(".", 2)[-2:])


@lru_cache(maxsize=8_192)
def _function(name: str, is_scripted: bool) -> str:
    name = name.strip()
    if is_scripted:
        name = _SCRIPT_WRAPPING.sub("", name).rpartition(".")[2].removeprefix("#")
    if name.lower() in _ANONYMOUS:
        return ""
    if _PLAIN_NAME.fullmatch(name):
        return name
    for pattern, replacement in _ADDED_TO_FUNCTIONS:
        name = pattern.sub(replacement, name)
    return name
