"""Takes out of a message what varies between its occurrences: numbers, ids, paths and so on."""

import re
from functools import lru_cache

_LONGEST_MESSAGE = 2_000
_LONGEST_TEMPLATE = 300
_FEWEST_LETTERS = 8

# Codes that say what failed. They are few, so they stay.
_CODE = (
    r"(?P<keep>(?i:\b(?:exit(?:ed)?(?: with)?(?: code| status)?|signal|status(?: code)?"
    r"|http(?:/[0-9.]{1,3})?|errno))"
    r"(?: is|:|=)? ?\(?-?[0-9]{1,3}(?![\w.])"
    r"|(?<![\w.])[1-5][0-9]{2} (?:Client|Server|Not|Bad|Internal|Service|Gateway|Too|Forbidden"
    r"|Unauthorized|Gone|Conflict)\b)"
)
_QUOTED = (
    r"(?P<quoted>(?<!\w)'[^'\n]{0,200}'(?!\w)"
    r'|"[^"\n]{0,200}"'
    r"|`[^`\n]{0,200}['`]"
    r"|\u201c[^\u201d\n]{0,200}\u201d|\u2018[^\u2019\n]{0,200}\u2019"
    r"|\u00ab[^\u00bb\n]{0,200}\u00bb)"
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_DATE = (
    rf"(?P<date>[0-9]{{4}}[-/][0-9]{{2}}[-/][0-9]{{2}}(?:[T ]{_CLOCK}{_ZONE})?"
    rf"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:{_MONTH} [0-9]{{1,2}}|[0-9]{{1,2}}[ /-]{_MONTH})"
    rf"(?:,?[ /-:][0-9]{{4}})?(?:[ :]{_CLOCK}{_ZONE})?(?: [0-9]{{4}})?(?!\w)"
    rf"|(?<![\w:.]){_CLOCK}{_ZONE}(?![\w:]))"
)
_UNIT = (
    r"(?:ns|µs|us|ms|msecs?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|weeks?"
    r"|milliseconds?|microseconds?)"
)
_SIZE_UNIT = r"(?:[KMGT]i?B|[kMGT]B?|B|bytes?)"
_NUMBER = r"[0-9]{1,30}(?:[.,_][0-9]{1,30}){0,8}(?:[eE][-+]?[0-9]{1,4})?"
_ADDRESSES = (
    r"(?P<uuid>(?<![0-9a-fA-F])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F]))"
    r"|(?P<url>\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://[^\s\"'<>)\]},]{1,2000})"
    r"|(?P<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"
    r"|(?P<mac>(?<![\w:])[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}(?![\w:]))"
    r"|(?P<ip>(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5}|/[0-9]{1,2})?(?![\w.]?\w)"
    r"|(?<![\w:])\[?(?=[0-9a-fA-F:]{0,40}::"
    r"|(?:[0-9a-fA-F]{1,4}:){7})[0-9a-fA-F:]{2,40}(?:%\w{1,15})?(?:\](?::[0-9]{1,5})?)?(?![\w:]))"
)
_PATH = (
    r"(?P<path>(?<![\w.)\]}>/\\<])(?:~|\.{1,2})?/[\w.~%@+$#&=-][^\s\"'<>|:,;()\[\]{}]{0,1000}"
    r"|\b[a-zA-Z]:[\\/][^\s\"'<>|:,;()\[\]{}]{1,1000}|(?<![\w\\])\\\\[\w.$-][^\s\"'<>"
    r"|:,;()\[\]{}]{1,1000})"
)
_PARTS = (
    _CODE,
    _QUOTED,
    _ADDRESSES,
    _DATE,
    _PATH,
    r"(?P<object>\{[^{}\n]{0,1000}[:=][^{}\n]{0,1000}\})",
    r"(?P<list>\[(?:[^\[\]\n,]{0,200},){1,50}[^\[\]\n,]{0,200}\])",
    r"(?P<user>\buser:[0-9a-f]{16}\b)",  # what scrubbing puts for a user
    r"(?P<hex>\b0[xX][0-9a-fA-F]{1,64}\b|(?<=\w)@[0-9a-f]{4,16}\b)",
    rf"(?P<duration>(?<![\w.]){_NUMBER} ?{_UNIT}\b)",
    rf"(?P<size>(?<![\w.]){_NUMBER} ?{_SIZE_UNIT}\b)",
    r"(?P<word>(?<![0-9A-Za-z])[0-9A-Za-z_-]{6,200}(?![0-9A-Za-z]))",
    rf"(?P<number>(?<![\w.)\]])[-+]?{_NUMBER}|{_NUMBER})",
)
_VARYING = re.compile("|".join(_PARTS))
_INNER_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_NUMBERS = re.compile(r"<number>(?:[,;/ x]{1,2}<number>){1,500}")
_HEX_WORD = re.compile(r"(?=[0-9a-fA-F]*[0-9])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{6,128}")
_RUNS = re.compile(r"[0-9]+|[a-z]+|[A-Z]+")
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_PLACES = re.compile(r"%(?:\(\w{1,100}\))?[-+#0 ]?[0-9.]{0,6}[a-zA-Z]|\{\w{0,100}\}|<[a-z]+>")
_LETTER = re.compile(r"[^\W\d_]")


@lru_cache(maxsize=2_048)
def template_of(message: str) -> str:
    """Returns the message's first line, with a placeholder such as `<path>` for each varying part.

    Further lines join in while the text before them has hardly a letter.
    """
    template = ""
    for line in message[:_LONGEST_MESSAGE].splitlines():
        template = f"{template} {_without_varying(line)}".strip()
        if len(_LETTER.findall(_PLACES.sub("", template))) >= _FEWEST_LETTERS:
            break
    return template[:_LONGEST_TEMPLATE]


def has_words(template: str) -> bool:
    """Whether a template such as `%s: %s` says anything by itself."""
    return _LETTER.search(_PLACES.sub("", template)) is not None


def _without_varying(line: str) -> str:
    line = _VARYING.sub(_placeholder, _COLOURS.sub("", line))
    return " ".join(_NUMBERS.sub("<number>", line).split())


def _placeholder(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match[0]
    if kind == "keep":
        return text
    return _word(text) if kind == "word" else f"<{kind}>"


def _word(word: str) -> str:
    """Returns a placeholder for a word that a machine made up, else the word without numbers."""
    if word.isalpha():
        return word
    if _HEX_WORD.fullmatch(word):
        return "<hex>"
    if _is_random(word):
        return "<id>"
    return _INNER_NUMBER.sub("<number>", word)


def _is_random(word: str) -> bool:
    """Whether letters and digits alternate as in no name: `ACAekLExQ9ilBJ5DxWMSHA`."""
    if len(word) < 10 or "_" in word or "-" in word:
        return False
    runs = _RUNS.findall(word)
    digits = sum(run[0].isdigit() for run in runs)
    return digits >= 2 and len(runs) * 3 > len(word)
