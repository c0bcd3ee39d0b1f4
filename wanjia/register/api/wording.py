"""What people write in their own words, as it is kept."""

from wanjia.register.rules import forms


def plain_words(text: str, most: int) -> str:
    """A text of at most `most` characters on one line, in one form of writing. Raises a `FieldError`: control characters, signs that turn the
    direction of writing or are not seen, too long.
    """
    return forms.clean(" ".join(text[: most * 8].split()), most) or ""
