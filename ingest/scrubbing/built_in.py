"""What is removed from errors and log lines of every project, as people are told."""

from typing import NamedTuple


class BuiltIn(NamedTuple):
    """A rule that holds everywhere."""

    what: str
    found: str
    replacement: str


BUILT_IN = (
    BuiltIn(
        "Passwords, tokens, keys, cookies, `Authorization`",
        "by the names of fields, headers, locals, parameters, options and elements, also inside of"
        " texts, URLs, forms and JSON; tokens of known issuers, JSON Web Tokens and private keys by"
        " their shape",
        "`[secret]`",
    ),
    BuiltIn("Mail addresses", "by their shape", "`[email]`"),
    BuiltIn("Card numbers, IBANs", "by their shape and checksum", "`[card]`, `[iban]`"),
    BuiltIn(
        "Addresses of clients", "by name, such as `REMOTE_ADDR` or `X-Forwarded-For`", "`[ip]`"
    ),
    BuiltIn(
        "The user",
        "everything in `user`; names elsewhere",
        "`[user]`, and for the id `user:` with 16 digits of a hash",
    ),
)
