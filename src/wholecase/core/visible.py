"""Text from files as a terminal may show it: a name cannot move the cursor or hide a line."""

import unicodedata

_KEPT = "\n\t"
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's control, format and surrogate characters, and its own line breaks."""
_JOINERS = "\u200c\u200d"
"""Format characters that some scripts cannot be written without."""


def visible(text: str) -> str:
    r"""The text with each control character written out; line breaks and tabs stay.

    >>> visible("a\x1b[31mb.png")
    'a\\x1b[31mb.png'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(letter: str) -> str:
    if letter in _KEPT or letter in _JOINERS or unicodedata.category(letter) not in _HIDDEN:
        return letter
    return letter.encode("unicode_escape").decode("ascii")
