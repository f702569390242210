"""Whether two ids are one: the key by which names of people, cases and labels are compared."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

MINUS = "\u2212"
"""A dash by its looks, though Unicode counts it as a sign of mathematics."""
APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"))
WHOLE = re.compile(r"(?<![\d.])(\d+)\.0+(?![\d.])")
ZEROS = re.compile(r"(?<![\d.])0+(?=\d)")


def identity_key(text: str) -> str:
    """What all spellings of one id share for certain.

    Unicode forms (NFKC: composed letters, widths), kinds of dashes and of blanks, blanks outside,
    and what cannot be seen make no difference; all else does.

    >>> identity_key("Pa\u0308t\u20111\u00a0 b ") == identity_key("P\u00e4t-1 b")
    True
    >>> identity_key("7") == identity_key("007")
    False
    """
    if text.isascii() and "  " not in text and text.isprintable():
        return text.strip()
    seen = (_plain(letter) for letter in unicodedata.normalize("NFKC", text))
    return " ".join(unicodedata.normalize("NFKC", "".join(seen)).split())


def likeness_key(text: str) -> str:
    """What spellings of one id share in all likelihood; two people are rarely told apart by less.

    Besides what makes no difference to `identity_key`: capitals, leading zeros of numbers, the
    `.0` that tables put behind them, and kinds of apostrophes.

    >>> likeness_key("P007") == likeness_key("p7"), likeness_key("101.0") == likeness_key("101")
    (True, True)
    >>> likeness_key("1.05") == likeness_key("1.5")
    False
    """
    folded = identity_key(identity_key(text).casefold()).casefold()
    whole = WHOLE.sub(r"\1", folded.translate(APOSTROPHES))
    return identity_key(ZEROS.sub("", whole))


def alike(ids: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of different ids that are one in all likelihood, in order of first appearance.

    >>> alike(["a1", "b", "A01", "a1"])
    (('a1', 'A01'),)
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(ids):
        groups[likeness_key(name)].append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def by_likeness(ids: Iterable[str]) -> dict[str, str]:
    """The first spelling of each id by its `likeness_key`, to ask whether a name is known.

    >>> by_likeness(["P007"]).get(likeness_key("p7"))
    'P007'
    """
    known: dict[str, str] = {}
    for name in ids:
        known.setdefault(likeness_key(name), name)
    return known


def _plain(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Pd" or letter == MINUS:
        return "-"
    if category in {"Zs", "Zl", "Zp"} or letter.isspace():
        return " "
    return "" if category in {"Cf", "Cc"} else letter
