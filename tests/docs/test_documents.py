"""What documents say about the code is so: names, links, pictures, and nothing of one machine."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from helsevev import main

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|sql|html|ts|toml|po|css))`")
_TOOLS = re.compile(r"(?<![\w./-])(?:/work/|/tmp/|/root/|/home/)")
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_BYTES = 200_000


def documents(repository: Path) -> list[Path]:
    """Every document of the repository."""
    tops = [*repository.glob("*.md"), *(repository / "docs").rglob("*.md")]
    return sorted(tops + list((repository / "src").rglob("*.md")))


def test_links_between_documents_lead_somewhere(repository: Path) -> None:
    broken = [
        f"{path.relative_to(repository)}: {target}"
        for path in documents(repository)
        for target in _LINK.findall(_CODE.sub("", path.read_text("utf-8")))
        if not re.match(r"[a-z]+:", target) and not leads_somewhere(path, target)
    ]
    assert broken == []


def leads_somewhere(path: Path, target: str) -> bool:
    """Whether a relative link's file is there, and has the heading that it names."""
    name, _, heading = unquote(target).partition("#")
    file = path.parent / name if name else path
    if not file.exists() or not heading:
        return file.exists()
    titles = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return heading in slugs


def test_files_that_documents_name_are_there(repository: Path) -> None:
    places = [repository, repository / "src" / "helsevev"]
    folders = ("tutorial", "how-to", "explanation", "user")
    missing = [
        f"{path.relative_to(repository)}: {name}"
        for folder in folders
        for path in sorted((repository / "docs" / folder).glob("*.md"))
        for name in sorted(set(_FILE.findall(path.read_text("utf-8"))))
        if "scheduling" not in name and not any((place / name).exists() for place in places)
    ]
    assert missing == []


def test_the_walks_follow_files_that_are_there(repository: Path) -> None:
    for name in ("a-read-and-a-write", "search", "live-updates", "access-and-audit"):
        text = (repository / "docs" / "explanation" / f"{name}.md").read_text("utf-8")
        figures = "".join(_CODE.findall(text))
        for file in re.findall(r"\b[a-z_]+/[a-z_/]+\.(?:py|sql|html|ts)\b", figures):
            assert (repository / "src" / "helsevev" / file).exists(), f"{name}: {file}"


def test_documents_know_no_machine(repository: Path) -> None:
    found = [
        f"{path.relative_to(repository)}: {match[0]}"
        for path in documents(repository)
        if (match := _TOOLS.search(path.read_text("utf-8")))
    ]
    assert found == []


def test_the_reference_is_as_the_code_is(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.write_reference", "--check"],
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_chapter_command_and_page_is_documented(repository: Path) -> None:
    reference = repository / "docs" / "reference"
    chapters, commands, pages = (
        (reference / f"{name}.md").read_text("utf-8") for name in ("chapters", "commands", "pages")
    )
    for chapter in main.CHAPTERS:
        assert f"| `{chapter.name}` |" in chapters
        for command in chapter.commands:
            assert f"## helsevev {command.name}" in commands
        for route in chapter.routes:
            assert all(f"`{path}`" in pages for path in route.paths)
    assert "## helsevev serve" in commands


def test_every_argument_of_a_command_says_what_it_does() -> None:
    words = next(a for a in main._arguments()._actions if isinstance(a, argparse._SubParsersAction))
    silent = [
        f"{name} {action.dest}"
        for name, parser in words.choices.items()
        for action in parser._actions
        if not action.help
    ]
    assert silent == []


def test_every_table_is_described(repository: Path) -> None:
    text = (repository / "docs" / "reference" / "database.md").read_text("utf-8")
    silent = re.findall(r"^## (\w+)\n\n(?:Key:|\|)", text, re.MULTILINE)
    assert silent == []


def test_every_setting_that_documents_name_is_one(repository: Path) -> None:
    settings = (repository / "docs" / "reference" / "settings.md").read_text("utf-8")
    there = set(re.findall(r"`(HELSEVEV_[A-Z_]+|PORT)`", settings))
    assert "HELSEVEV_DATABASE_URL" in there
    named = {
        f"{path.relative_to(repository)}: {name}"
        for path in documents(repository)
        for name in re.findall(r"\bHELSEVEV_[A-Z_]+\b", path.read_text("utf-8"))
        if name not in there
    }
    assert named == set()


def test_every_document_can_be_found_from_the_first(repository: Path) -> None:
    first = repository / "docs" / "README.md"
    seen, waiting = {first}, [first]
    while waiting:
        path = waiting.pop()
        for target in _LINK.findall(path.read_text("utf-8")):
            file = (path.parent / target.partition("#")[0]).resolve()
            if file.suffix == ".md" and file.exists() and file not in seen:
                seen.add(file)
                waiting.append(file)
    lost = set((repository / "docs").rglob("*.md")) - seen
    assert {path.name for path in lost} <= {"template.md"}


@pytest.mark.parametrize("folder", ["user", "tutorial"])
def test_pictures_are_there_and_small(repository: Path, folder: str) -> None:
    pictures = {
        (path.parent / target).resolve()
        for path in (repository / "docs" / folder).glob("*.md")
        for target in _LINK.findall(path.read_text("utf-8"))
        if target.endswith(".png")
    }
    assert pictures
    for picture in pictures:
        data = picture.read_bytes()
        assert data.startswith(_PNG), picture.name
        assert len(data) < _MOST_BYTES, picture.name


def test_every_picture_is_shown_and_can_be_taken_again(repository: Path) -> None:
    there = {path.stem for path in (repository / "docs" / "images").glob("*.png")}
    script = (repository / "tools" / "take_screenshots.py").read_text("utf-8")
    assert there == set(re.findall(r'^    "([a-z-]+)": \(', script, re.MULTILINE))
    shown = " ".join(path.read_text("utf-8") for path in documents(repository))
    assert {name for name in there if f"images/{name}.png" not in shown} == set()
