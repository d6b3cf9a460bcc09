"""What the content says of searching in a chart: other words for the same thing."""

from __future__ import annotations

from .shapes import Document, Shape, unique


class SameMeaning(Shape, frozen=True, kw_only=True):
    """What is typed, and other ways in which it may have been written."""

    typed: str
    also: tuple[str, ...]


class SearchWords(Document, frozen=True, kw_only=True):
    """Short names and everyday words, with what stands in records."""

    word: tuple[SameMeaning, ...]

    def __post_init__(self) -> None:
        """Refuse a word that occurs twice, and one that nobody can type as one word."""
        super().__post_init__()
        unique("word", (each.typed for each in self.word))
        for each in self.word:
            if each.typed != each.typed.casefold() or " " in each.typed:
                raise ValueError(f"{each.typed!r}: one word, in small letters")

    @property
    def also(self) -> dict[str, tuple[str, ...]]:
        """Word typed -> other ways to say it."""
        return {each.typed: each.also for each in self.word}
