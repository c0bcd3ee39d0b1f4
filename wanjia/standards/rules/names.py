"""How surnames are read."""

from collections.abc import Iterable, Mapping


def homophone_heads(
    surnames: Iterable[tuple[str, str]], characters_by_syllable: Mapping[str, str]
) -> list[tuple[str, str]]:
    """For each surname read otherwise than its characters usually are: (surname, characters that usually are read so).

    `characters_by_syllable`: toneless syllable → the characters usually read that way. Raises KeyError for a syllable nobody has.
    """
    usual = {character: syllable for syllable, characters in characters_by_syllable.items() for character in characters}
    found = []
    for surname, reading in surnames:
        syllables = reading.split(" ")
        if [usual.get(character) for character in surname] != syllables:
            found.append((surname, "".join(characters_by_syllable[syllable][0] for syllable in syllables)))
    return found
