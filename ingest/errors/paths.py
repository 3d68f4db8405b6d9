"""Names a source file as every machine and release would: without hosts, versions and hashes."""

import re
from functools import lru_cache

_LONGEST_PATH = 1_000

_URL = re.compile(r"^(?P<scheme>[a-zA-Z][\w+.-]{1,30})://[^/?#]*(?P<path>[^?#]*)")
_DRIVE = re.compile(r"^(?:[a-zA-Z]:)?/")
# What follows the last of these folders is named by a package, what precedes it by the machine.
_PACKAGES = re.compile(
    r".*/(?:site-packages|dist-packages|node_modules|bower_components|gems|pkg/mod"
    r"|registry/src/[^/]*|vendor|Pods|\.cargo/git/checkouts"
    r"|lib/python[0-9.]*|lib/ruby/[0-9.]*|rustc/[0-9a-f]*/library|go[0-9.]*/src(?!/[\w-]+\.[a-z]))/"
)
# Folders in which machines, containers and deployments keep an app.
_MACHINE = re.compile(
    r"^(?:/(?:home|Users)/[^/]*|/root|[a-zA-Z]:/Users/[^/]*|/github/workspace"
    r"|/usr/src/app|/usr/src|/usr/local/app"
    r"|/var/www(?:/html)?|/var/task|/var/runtime|/data/app/[^/]*|/srv|/opt|/app|/code|/workspace"
    r"|/work|/builds?|/src|/project"
    r"|(?:/private)?/(?:var/)?tmp|(?:/private)?/var/folders/[^/]*/[^/]*/T"
    r"|[a-zA-Z]:/(?:Windows/)?Temp|[a-zA-Z]:)/",
    re.IGNORECASE,
)
_RELEASES = re.compile(r"/releases/[^/]+/")
_VERSION = re.compile(
    r"(?:@|(?<=[A-Za-z])[-_.])?v?[0-9]+(?:\.[0-9]+){1,4}(?:[-.](?:rc|alpha|beta|dev|SNAPSHOT"
    r"|RELEASE|Final)[0-9.]*)?(?=[/.@_-]|$)"
)
_UUID_OR_TIME = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?<![0-9])[0-9]{8,20}(?![0-9])"
)
_HASH = re.compile(
    r"[-._~/]?(?<![0-9A-Za-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{6,64}(?![0-9A-Za-z])"
)
# Bundlers name files `index-Dk3_sd1a.js` or `chunk-5ABCDEFG.js`: eight characters that are no word.
_BUNDLE_HASH = re.compile(
    r"[-.](?=[A-Za-z_-]*[0-9]|[a-z0-9_-]*[A-Z][A-Za-z]*[a-z0-9_-][A-Z]"
    r"|[A-Z]{8})[A-Za-z0-9_-]{8}(?=(?:\.chunk|\.bundle|\.min)*\.[cm]?jsx?$)"
)
_SCRIPT = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte|bundle|jsbundle|hbc)$")


@lru_cache(maxsize=8_192)
def normalised_path(path: str) -> str:
    """Returns what names the file in every release and on every machine.

    Of an absolute path, that is what follows a known folder; otherwise its last two names.
    """
    plain, absolute = _plain(path)
    return _without_hashes(_relative(plain) if absolute else plain.lstrip("./"))


@lru_cache(maxsize=8_192)
def has_bundle_hash(path: str) -> bool:
    """Whether a script's file name holds a hash of its contents, as bundlers add it."""
    name = _plain(path)[0].rpartition("/")[2]
    return bool(_SCRIPT.search(name)) and _without_hashes(name) != _without_versions(name)


def is_script(path: str) -> bool:
    """Whether the file holds JavaScript, or what compiles to it."""
    return _SCRIPT.search(path[:_LONGEST_PATH].partition("?")[0]) is not None


def url_path(path: str) -> str:
    """Returns the path in a web address, as Sentry shows it; any other path as it is."""
    url = _URL.match(path[:_LONGEST_PATH]) if path.startswith(("http:", "https:")) else None
    return path if url is None or url["path"] in ("", "/") else url["path"]


def slashed(path: str) -> str:
    """Returns the path with slashes, at most as long as paths are read."""
    return path[:_LONGEST_PATH].replace("\\", "/")


def _plain(path: str) -> tuple[str, bool]:
    """Returns the path without scheme, host and query, and whether it was absolute."""
    path = slashed(path)
    if url := _URL.match(path):
        if url["scheme"] != "file":
            return url["path"].lstrip("/.").removeprefix("(app-pages-browser)/").lstrip("./"), False
        path = url["path"]
    return path.partition("?")[0], _DRIVE.match(path) is not None


def _relative(path: str) -> str:
    path = _RELEASES.sub("/", path)
    if packaged := _PACKAGES.match(path):
        return path[packaged.end() :]
    path = _MACHINE.sub("", path, count=1).lstrip("/")
    return "/".join(path.split("/")[-2:])


def _without_versions(path: str) -> str:
    return _VERSION.sub("", path)


def _without_hashes(path: str) -> str:
    path = _UUID_OR_TIME.sub("", _BUNDLE_HASH.sub("", path))
    return _without_versions(_HASH.sub("", path)).strip("/")
