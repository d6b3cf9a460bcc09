"""Code that has turned text into commands elsewhere is not in the program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
UNPACKS = {"pickle", "cPickle", "shelve", "marshal", "dill", "jsonpickle", "yaml", "telnetlib",
           "ftplib"}  # fmt: skip
WEAK = {"md5", "sha1", "new"}
CHANCE = {
    "src/helsevev/access/subscriptions/sending.py": "when a failed notification is tried again",
    "src/helsevev/region": "invented lives, told again by their number",
}
"""Where numbers may be drawn that somebody could guess, and what for."""

READS_XML = {
    "src/helsevev/fhir/narrative_checks.py": "refuses a declaration of types",
    "src/helsevev/fhir/xml/reading.py": "refuses a declaration of types",
    "src/helsevev/medication/catalogue/fest_parts.py": "reads no file, but its elements",
    "src/helsevev/terminology/fest.py": "a file that an operator imports",
}
XML = {"xml.dom", "xml.sax", "xml.etree", "lxml", "xml.parsers", "xml.etree.ElementTree"}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


@pytest.fixture(scope="module")
def sources(repository: Path) -> dict[str, ast.Module]:
    """The program's own modules by their path."""
    return {
        str(path.relative_to(repository)): ast.parse(path.read_text("utf-8"))
        for path in sorted((repository / "src").rglob("*.py"))
        if "tables" not in path.parts
    }


def test_no_text_is_run_as_python(sources: dict[str, ast.Module]) -> None:
    found = [(path, name) for path, tree in sources.items() for name, _ in calls(tree)
             if name in RUNS_TEXT]  # fmt: skip
    assert found == []


def test_no_command_goes_through_a_shell(sources: dict[str, ast.Module]) -> None:
    found = [
        (path, name)
        for path, tree in sources.items()
        for name, call in calls(tree)
        if name in ("os.system", "os.popen", "asyncio.create_subprocess_shell",
                    "subprocess.getoutput", "subprocess.getstatusoutput")
        or any(each.arg == "shell" for each in call.keywords)
    ]  # fmt: skip
    assert found == []


def test_nothing_that_was_sent_is_unpickled_and_xml_is_not_read_by_what_expands_it(
    sources: dict[str, ast.Module],
) -> None:
    unpacks = [(path, name) for path, tree in sources.items() for name in imports(tree)
               if name.split(".")[0] in UNPACKS]  # fmt: skip
    assert unpacks == []
    reads = {path for path, tree in sources.items() if XML & set(imports(tree))}
    assert reads == READS_XML.keys()
    for path in (path for path, why in READS_XML.items() if "refuses" in why):
        assert "StartDoctypeDeclHandler" in ast.unparse(sources[path]), path


def test_what_must_not_be_guessed_is_drawn_from_the_system(
    sources: dict[str, ast.Module],
) -> None:
    found = {path for path, tree in sources.items() if "random" in set(imports(tree))}
    assert {path for path in found if not path.startswith(tuple(CHANCE))} == set()


def test_no_weak_hash_is_used(sources: dict[str, ast.Module]) -> None:
    weak = {"md5", "sha1"} | {f"hashlib.{each}" for each in WEAK}
    found = [(path, name) for path, tree in sources.items() for name, _ in calls(tree)
             if name in weak]  # fmt: skip
    assert found == []


def test_no_certificate_goes_unchecked(sources: dict[str, ast.Module]) -> None:
    found = [
        (path, name)
        for path, tree in sources.items()
        for name, call in calls(tree)
        if name.endswith(("_create_unverified_context", "CERT_NONE"))
        or any(each.arg in ("verify", "check_hostname") for each in call.keywords)
    ]
    assert found == []


def test_scripts_of_pages_run_no_text_and_name_no_other_site(repository: Path) -> None:
    scripts = sorted((repository / "src" / "helsevev" / "screens" / "assets").rglob("*.[jt]s"))
    assert scripts
    forbidden = (
        r"\beval\s*\(", r"new Function", r"document\.write", r"\.outerHTML\s*=", r"https?://",
        r"\bimportScripts\b", r"setTimeout\(\s*['\"`]",
    )  # fmt: skip
    wrong = [
        (path.name, pattern)
        for path in scripts
        for pattern in forbidden
        if re.search(pattern, re.sub(r"(?m)^\s*//.*$", "", path.read_text("utf-8")))
    ]
    assert wrong == []


def test_pages_load_nothing_from_another_site_and_use_no_plugin(repository: Path) -> None:
    foreign = r"<(?:script|link|img|form)\b[^>]*(?:src|href|action)=[\"'](?:https?:)?//"
    outdated = r"<(?:iframe|object|embed|applet|frame)\b|autoescape false"
    pages = sorted((repository / "src" / "helsevev").rglob("templates/**/*.html"))
    wrong = [path.name for path in pages
             if re.search(f"{foreign}|{outdated}", path.read_text("utf-8"))]  # fmt: skip
    assert pages
    assert wrong == []
