"""Narrative in and out: plain text to safe XHTML, and anybody's XHTML to plain blocks of text.

Foreign markup is never passed on: it is read into blocks of text, and templates draw those. So
nothing a sender wrote can become a script, a style, a picture fetched from elsewhere or a form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Any, Final

XHTML: Final = "http://www.w3.org/1999/xhtml"
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_HELD_SPACES: Final = re.compile(r"^ +| {2,}", re.MULTILINE)
_HARD_SPACE: Final = "\u00a0"
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "caption", "dt"})
_BREAKS: Final = frozenset({
    "p", "div", "ul", "ol", "dl", "dd", "table", "thead", "tbody", "tfoot", "blockquote", "pre",
    "section", "article", "header", "footer", "hr", "address", "body", "html",
})  # fmt: skip
_SILENT: Final = frozenset({"script", "style", "head", "title", "template", "iframe", "object"})
# Controls, lone surrogates and non-characters: readers of XML and JSON elsewhere choke on them.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
MAXIMUM_BLOCKS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of text: `kind` is "paragraph", "heading", "item", "row" or "heading-row".

    Rows have `cells`; the others have one cell. Lines within a cell are kept.
    """

    kind: str
    cells: tuple[str, ...]

    @property
    def text(self) -> str:
        """The block as one text."""
        return "\t".join(self.cells)


def clean(plain: str) -> str:
    """The text as it is kept: no control characters, no space at line ends, one blank line at most.

    Cleaning what is clean changes nothing, and what was signed reads back as exactly this.
    """
    unified = plain.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    unified = _CONTROLS.sub("", unified.replace(_HARD_SPACE, " ").expandtabs(4))
    lines = "\n".join(line.rstrip() for line in unified.split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip()


def to_xhtml(plain: str) -> str:
    """Plain text as a FHIR narrative div: blank lines part paragraphs, single ones break lines.

    http://hl7.org/fhir/R4/narrative.html#Narrative. Every character is escaped; indentation and
    runs of spaces are held by hard spaces.
    """
    held = _HELD_SPACES.sub(lambda run: _HARD_SPACE * len(run.group()), clean(plain))
    marked = "".join(
        f"<p>{escape(paragraph).replace(chr(10), '<br/>')}</p>"
        for paragraph in held.split("\n\n")
        if paragraph
    )
    return f'<div xmlns="{XHTML}">{marked}</div>'


def to_narrative(plain: str) -> dict[str, Any]:
    """Plain text as a Narrative element."""
    return {"status": "additional", "div": to_xhtml(plain)}


def from_xhtml(markup: object) -> tuple[Block, ...]:
    """A narrative as blocks of text; () for anything that is no text. Never raises."""
    if not isinstance(markup, str) or not markup.strip():
        return ()
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    reader.finish()
    return tuple(reader.blocks[:MAXIMUM_BLOCKS])


def from_plain(plain: str) -> tuple[Block, ...]:
    """Plain text as blocks: paragraphs, and lines that start with # as headings."""
    blocks: list[Block] = []
    for paragraph in clean(plain).split("\n\n"):
        lines: list[str] = []
        for line in paragraph.split("\n"):
            if line.startswith("#"):
                _add_paragraph(blocks, lines)
                lines = []
                blocks.append(Block("heading", (line.lstrip("# ").strip(),)))
            else:
                lines.append(line.rstrip())
        _add_paragraph(blocks, lines)
    return tuple(block for block in blocks if block.cells[0])[:MAXIMUM_BLOCKS]


def to_plain(blocks: Sequence[Block]) -> str:
    """Blocks as the plain text they were written as: paragraphs parted by a blank line."""
    written: list[str] = []
    before = ""
    for block in blocks:
        marker = {"item": "- ", "heading": "# "}.get(block.kind, "")
        together = block.kind == before and block.kind in ("item", "row", "heading-row")
        written.append(("\n" if together else "\n\n") + marker + block.text)
        before = block.kind
    return "".join(written).strip()


def _add_paragraph(blocks: list[Block], lines: list[str]) -> None:
    said = "\n".join(lines).strip("\n")
    if said.strip():
        blocks.append(Block("paragraph", (said,)))


class _Reader(HTMLParser):
    """Gathers text between the tags that part blocks; every attribute is thrown away."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.line: list[str] = []
        self.cells: list[str] | None = None
        self.is_heading_row = False
        self.kind = "paragraph"
        self.silence = 0
        self.preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silence += 1
        elif tag == "br":
            self.line.append("\n")
        elif tag == "tr":
            self.end_block()
            self.cells, self.is_heading_row = [], False
        elif tag in ("td", "th"):
            self.is_heading_row = self.is_heading_row or tag == "th"
            self.line.clear()
        elif tag == "li":
            self.end_block()
            self.kind = "item"
        elif tag in _HEADINGS:
            self.end_block()
            self.kind = "heading"
        elif tag in _BREAKS:
            self.end_block(keep=self.kind == "item")
            self.preformatted += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silence = max(0, self.silence - 1)
        elif tag in ("td", "th"):
            if self.cells is not None:
                self.cells.append(self.taken())
        elif tag == "tr":
            self.end_row()
        elif tag == "li" or tag in _HEADINGS or tag in _BREAKS:
            self.end_block(keep=self.kind == "item" and tag in _BREAKS - {"ul", "ol"})
            if tag == "pre":
                self.preformatted = max(0, self.preformatted - 1)

    def handle_data(self, data: str) -> None:
        if not self.silence:
            self.line.append(data if self.preformatted else _SPACE.sub(" ", data))

    def taken(self) -> str:
        joined = _CONTROLS.sub("", "".join(self.line))
        self.line.clear()
        lines = "\n".join(line.strip(" ") for line in joined.split("\n")).strip("\n")
        return lines.replace(_HARD_SPACE, " ").rstrip()

    def end_row(self) -> None:
        if self.cells is None:
            return
        if self.line and (rest := self.taken()):
            self.cells.append(rest)
        if any(self.cells):
            kind = "heading-row" if self.is_heading_row else "row"
            self.blocks.append(Block(kind, tuple(self.cells)))
        self.cells = None

    def end_block(self, *, keep: bool = False) -> None:
        """End what was gathered; within a table cell a block is only a new line."""
        if self.cells is not None:
            if self.line:
                self.line.append("\n")
            return
        if said := self.taken():
            self.blocks.append(Block(self.kind, (said,)))
            keep = False
        if not keep:
            self.kind = "paragraph"

    def finish(self) -> None:
        self.end_row()
        self.end_block()
