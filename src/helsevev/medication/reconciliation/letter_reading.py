"""A letter's narrative as lines and tables of plain text: whoever wrote it, no markup passes on."""

from __future__ import annotations

from html.parser import HTMLParser

from msgspec import Struct


class Part(Struct, frozen=True):
    """A line of text, or a table: its `rows` of cells, the first of them headings."""

    line: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def parts_of(div: str) -> tuple[Part, ...]:
    """What stands in a narrative. Never raises."""
    reader = _Reader()
    reader.feed(div)
    reader.close()
    reader.end_line()
    return tuple(reader.found)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Part] = []
        self.text: list[str] = []
        self.row: list[str] = []
        self.rows: list[tuple[str, ...]] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self.silent += 1
        elif tag == "br":
            self.text.append("\n")
        elif tag in ("p", "table", "li", "div"):
            self.end_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.silent = max(0, self.silent - 1)
        elif tag in ("td", "th"):
            self.row.append(self.taken())
        elif tag == "tr":
            self.rows.append(tuple(self.row))
            self.row = []
        elif tag == "table":
            self.found.append(Part(rows=tuple(self.rows)))
            self.rows = []
        elif tag in ("p", "li", "div"):
            self.end_line()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.text.append(data)

    def taken(self) -> str:
        """The text since the last block, as one."""
        said = "".join(self.text).strip()
        self.text = []
        return said

    def end_line(self) -> None:
        """Keep what was read as a line of its own."""
        if said := self.taken():
            self.found.append(Part(said))
