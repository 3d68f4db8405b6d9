"""Which names of fields, headers, variables and parameters hold secrets or personal data."""

import re
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


_LONGEST_NAME = 200
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_0-9A-Za-z]+")
_KIND_OF_WORD = {
    word: kind
    for kind, words in (
        (Kind.HEADER, "authorization cookie cookies"),
        (
            Kind.PASSWORD,
            "password passwords passwd passphrase passcode pass pwd secret secrets credential"
            " credentials otp totp pin cvv cvv2 cvc cvc2 csc ssn iban passwort kennwort senha"
            " wachtwoord contraseña contrasena пароль 密码 パスワード",
        ),
        (
            Kind.TOKEN,
            "token tokens jwt bearer csrf xsrf apikey sid phpsessid jsessionid sessionid auth"
            " oauth dsn session creds",
        ),
    )
    for word in words.split()
}
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
_CLIENT_ADDRESS = re.compile(
    r"(?:ip|ip_?addr(?:ess)?|(?:x_)?forwarded)|.*forwarded_for.*"
    r"|(?:.*_)?(?:client|remote|real|user|connecting|visitor|originating|peer|cluster|sender"
    r"|caller)_(?:.*_)?(?:ip|ipv|addr|ip_address)"
)
_USERNAMES = word_set("username user_name user_username login_name")
# What stands for a value, or for none: no secret under any name.
_NO_SECRET = re.compile(
    r"<[\w.]{1,200}(?: [\w.]{1,200})? at 0x[0-9a-f]{1,16}>|'?(?:None|)'?|null|[tT]rue|[fF]alse"
    r"|%(?:\(\w{1,100}\))?[sdr]|\?|\$[0-9]{1,4}|:\w{1,100}|\{\w{0,100}\}|\$\{\w{1,100}\}|\.{2,3}|\*{2,40}"
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
    joined = "_".join(words)
    if _CLIENT_ADDRESS.fullmatch(joined):
        return Kind.ADDRESS
    if joined in _USERNAMES:
        return Kind.USERNAME
    if not words or words[-1] in _ABOUT_ENDINGS or words[0] in _ABOUT_BEGINNINGS:
        return Kind.PLAIN
    return Kind.PLAIN if "public" in words else _secret_kind(words)


def _secret_kind(words: tuple[str, ...]) -> Kind:
    kinds = [_kind_at(words, place) for place in range(len(words))]
    if Kind.HEADER in kinds:
        return Kind.HEADER
    if found := next((kind for kind in kinds if kind is not Kind.PLAIN), None):
        return found
    # Signatures of cloud storage URLs are called `X-Amz-Signature`.
    is_loose = words[-1] in _LOOSE and (len(words) == 1 or words[0] == "x")
    return Kind.LOOSE if is_loose else Kind.PLAIN


def _kind_at(words: tuple[str, ...], place: int) -> Kind:
    word, after = words[place], words[place + 1 : place + 2]
    if word in _LAST_ONLY and after and after[0] not in _AFTER_LAST_ONLY:
        return Kind.PLAIN
    if kind := _KIND_OF_WORD.get(word):
        return kind
    if word.endswith(_PASSWORD_ENDINGS):
        return Kind.PASSWORD
    is_key = word in ("key", "keys") and place > 0 and words[place - 1] in _KEY_QUALIFIERS
    return Kind.TOKEN if is_key or word.endswith(_TOKEN_ENDINGS) else Kind.PLAIN


def is_no_secret(name: str, value: str) -> bool:
    """Whether a value is none in spite of its field's name: a placeholder, a working folder."""
    if value.startswith("/") and name.lower() in ("pwd", "oldpwd"):
        return True
    return _NO_SECRET.fullmatch(value) is not None


def wrong_name(name: str) -> str | None:
    """Why a text cannot be the name of a rule, else None."""
    if not words_of(name) or len(name) > _LONGEST_NAME:
        return f"must have 1 to {_LONGEST_NAME} characters, with a letter or a digit among them"
    return None if name.isprintable() else "must be printable"


def normalised(name: str) -> str:
    """A name in one spelling, so that a rule finds it in every other: `_customer_ref_`."""
    return f"_{'_'.join(words_of(name))}_"
