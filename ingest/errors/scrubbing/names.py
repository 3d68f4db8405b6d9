"""Which names of fields, headers, variables and parameters hold secrets or personal data."""

import re
from collections.abc import Iterable
from enum import Enum, auto
from functools import lru_cache


class Kind(Enum):
    """What a field of a given name holds."""

    PLAIN = auto()
    PASSWORD = auto()  # and other secrets that people choose
    TOKEN = auto()  # and other secrets that programs make
    HEADER = auto()  # Authorization or Cookie: the whole line is secret
    LOOSE = auto()  # an ordinary word that names a secret in URLs only: `key`, `code`
    ADDRESS = auto()  # of a client
    USERNAME = auto()


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_0-9A-Za-z]+")

_LONGEST_NAME = 200

_PASSWORD_WORDS = word_set(
    "password passwords passwd passphrase passcode pass pwd secret secrets credential credentials"
    " otp totp pin cvv cvv2 cvc cvc2 csc ssn iban"
    " passwort kennwort senha wachtwoord contraseña contrasena пароль 密码 パスワード"
)
_TOKEN_WORDS = word_set(
    "token tokens jwt bearer csrf xsrf apikey sid phpsessid jsessionid sessionid auth oauth dsn"
    " authorization session creds"
)
_HEADER_WORDS = word_set("authorization cookie cookies")
_PASSWORD_ENDINGS = ("password", "passwd", "passphrase", "passcode", "secret", "secrets", "pwd")
_TOKEN_ENDINGS = (
    *("token", "apikey", "secretkey", "privatekey", "accesskey", "authkey", "signingkey"),
    *("encryptionkey", "credential", "credentials", "sessionid", "sessid", "sessionkey"),
)
# `key` is a secret after these words, and an ordinary name by itself.
_KEY_QUALIFIERS = word_set(
    "api access secret private encryption encrypt signing sign signature master license licence"
    " service account storage ssh gpg pgp rsa dsa hmac aes ssl tls app client webhook session"
    " auth admin deploy deployment integration ingest stripe aws azure google github gitlab"
    " sentry datadog slack sendgrid mailgun twilio openai write shared root crypto"
)
# A name that ends or begins so is about a secret, and does not hold it.
_ABOUT_ENDINGS = word_set(
    "url urls uri path paths route type types kind method field fields count counts length len"
    " size limit limits expires expiry expiration expired at ttl age policy strength hint reset"
    " required changed valid invalid validator validators enabled disabled error errors status"
    " endpoint class provider format version index position algorithm min max name names label"
    " prompt form page view template help placeholder regex pattern attempts retries backend"
    " backends manager service store cache factory handler callback lifetime usage used rotation"
    " date time created updated domain secure samesite hasher hashers middleware serializer"
    " generator model rate total scope scopes state level consent"
    " scheme server exception failed missing verified strategy schema config settings"
    " function func cls object engine maker module"
)
_ABOUT_BEGINNINGS = word_set(
    "is has no num count max min total use uses require requires need needs enable disable allow"
    " show hide should can with forgot reset change validate invalid missing expired"
)
# Words of two meanings: a secret only at the end of a name, or before one of these.
_LAST_ONLY = word_set("auth oauth session pass pin dsn bearer sid")
_AFTER_LAST_ONLY = word_set("id key token data header code value secret hash string info")

_LOOSE = word_set("key keys code sig signature hmac ticket assertion verifier appid samlresponse")
_CLIENTS = word_set(
    "client remote real user connecting visitor originating peer cluster sender caller"
)
_USERNAMES = frozenset({("username",), ("user", "name"), ("user", "username"), ("login", "name")})

# What stands for a value, or for none: no secret under any name.
_NO_SECRET = re.compile(
    r"<[\w.]{1,200}(?: [\w.]{1,200})? at 0x[0-9a-f]{1,16}>|'?(?:None|)'?|null|[tT]rue|[fF]alse"
    r"|%(?:\(\w{1,100}\))?[sdr]|\?|\$[0-9]{1,4}|:\w{1,100}|\{\w{0,100}\}|\$\{\w{1,100}\}|\.{2,3}|\*{2,40}"
)
_FOLDERS = frozenset({"pwd", "oldpwd"})

# Lower-case words that a text must have for a name above to be in it.
HINTS = (
    *("pass", "pwd", "secret", "token", "auth", "cred", "cooki", "key", "sess", "srf", "sid"),
    *("jwt", "wort", "contrase", "senha", "пароль", "bearer"),
)
# Short or common words that are looked for with a separator only.
SHORT_HINTS = (
    *("otp", "pin", "cvv", "cvv2", "cvc", "csc", "ssn", "iban", "dsn", "secrets", "code", "sig"),
    *("signature", "hmac", "ticket", "addr", "address", "ip", "forwarded", "for", "username"),
    *("user_name", "assertion", "verifier", "appid"),
)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in lower case, however it joins them; without a number at the end."""
    words = [word.lower() for word in _WORDS.findall(name[:_LONGEST_NAME])]
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    return tuple(words)


@lru_cache(maxsize=8192)
def kind_of(name: str) -> Kind:
    """What a field of this name holds."""
    words = words_of(name)
    if not words:
        return Kind.PLAIN
    if _is_client_address(words):
        return Kind.ADDRESS
    if words in _USERNAMES:
        return Kind.USERNAME
    if words[-1] in _ABOUT_ENDINGS or words[0] in _ABOUT_BEGINNINGS or "public" in words:
        return Kind.PLAIN
    return _secret_kind(words)


def _secret_kind(words: tuple[str, ...]) -> Kind:
    for word in words:
        if word in _HEADER_WORDS:
            return Kind.HEADER
    for place, word in enumerate(words):
        after = words[place + 1 :]
        if word in _LAST_ONLY and after and after[0] not in _AFTER_LAST_ONLY:
            continue
        if word in _PASSWORD_WORDS or word.endswith(_PASSWORD_ENDINGS):
            return Kind.PASSWORD
        if word in _TOKEN_WORDS or word.endswith(_TOKEN_ENDINGS):
            return Kind.TOKEN
        if word in ("key", "keys") and place and words[place - 1] in _KEY_QUALIFIERS:
            return Kind.TOKEN
    return Kind.LOOSE if len(words) == 1 and words[0] in _LOOSE else _signed(words)


def _signed(words: tuple[str, ...]) -> Kind:
    """LOOSE for the signatures of cloud storage URLs, such as `X-Amz-Signature`."""
    return Kind.LOOSE if words[0] == "x" and words[-1] in _LOOSE else Kind.PLAIN


def _is_client_address(words: tuple[str, ...]) -> bool:
    joined = "_".join(words)
    if joined in ("ip", "ip_address", "ipaddress", "ip_addr", "forwarded", "x_forwarded"):
        return True
    if "forwarded_for" in joined:
        return True
    last = words[-1]
    if last not in ("ip", "addr", "ipv4", "ipv6") and words[-2:] != ("ip", "address"):
        return False
    return any(word in _CLIENTS for word in words)


def wrong_name(name: str) -> str | None:
    """Why a text cannot be the name of a rule, else None."""
    if not words_of(name) or len(name) > _LONGEST_NAME:
        return f"must have 1 to {_LONGEST_NAME} characters, with a letter or a digit among them"
    return None if name.isprintable() else "must be printable"


@lru_cache(maxsize=8192)
def normalised(name: str) -> str:
    """A name in one spelling, so that a rule finds it in every other: `_customer_ref_`."""
    return f"_{'_'.join(words_of(name))}_"


def is_no_secret(name: str, value: str) -> bool:
    """Whether a value is none in spite of its field's name: a placeholder, a working folder."""
    return _NO_SECRET.fullmatch(value) is not None or (
        value.startswith("/") and name.lower() in _FOLDERS
    )


def has_rule_name(name: str, rules: Iterable[str]) -> bool:
    """Whether one of the rules' normalised names is in the name."""
    own = normalised(name)
    return any(rule in own for rule in rules)
