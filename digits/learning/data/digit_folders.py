"""Which digit the name of a folder means: `7`, `07`, ` 7`, `seven` and `Siete` are beyond doubt, `sevn` is not."""

import difflib
import unicodedata

from digits.reading.models.contract import CLASSES

_WORDS = (
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
)
_DIGITS = {word: digit for words in _WORDS for digit, word in enumerate(words)}
_ALIKE = 0.6  # difflib's own measure of words that may be meant


def digit_of(name: str) -> int | None:
    """Return the digit that a folder's name means without doubt: as a number or as a word; None for any other name."""
    plain = _plain(name)
    if plain.isdecimal():
        return int(plain) if int(plain) < CLASSES else None
    return _DIGITS.get(plain)


def nearest(name: str) -> str | None:
    """Return the name that was probably meant by one that means no digit; None where nothing is near.

    `sevn` is near `seven`, and `digit 7`, which has one digit in it, near `7`.
    """
    plain = _plain(name)
    inside = [letter for letter in plain if letter.isdecimal()]
    if len(inside) == 1:
        return str(int(inside[0]))
    near = difflib.get_close_matches(plain, _DIGITS, 1, _ALIKE)
    return near[0] if near and not inside else None


def _plain(name: str) -> str:
    """Return a name without capitals, accents and blanks around it."""
    letters = unicodedata.normalize("NFKD", name).casefold().strip()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
