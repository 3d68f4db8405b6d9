"""A text to search for, as conditions on the words of a row."""

import re
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, func, literal_column

_SIMPLE: ColumnElement[Any] = literal_column("'simple'::regconfig")
_NOTHING: ColumnElement[Any] = literal_column("''::tsquery")
_LAST_WORD = re.compile(r"(?:^|(?<=\s))\w+$")


def word_parameters(text: str) -> dict[str, Any]:
    """The SQL parameters of `words`."""
    prefix = _LAST_WORD.search(text)
    if prefix is None or text.count('"') % 2:
        return {"words": text, "prefix": None}
    return {"words": text[: prefix.start()], "prefix": f"'{prefix[0]}':*"}


def words() -> ColumnElement[Any]:
    """The tsquery for all words of the text; the last one may be the beginning of a word."""
    text = bindparam("words", type_=Text, required=True)
    prefix = bindparam("prefix", type_=Text, required=True)
    begun = func.coalesce(func.to_tsquery(_SIMPLE, prefix), _NOTHING)
    return func.websearch_to_tsquery(_SIMPLE, text).op("&&")(begun)
