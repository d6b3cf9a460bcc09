"""Checks the licences of all that is installed, and asks what is known against its versions.

Usage: python tools/audit.py [--strict]
  --strict  fail also when a source of advisories cannot be reached
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")

# What may be used beside EUPL-1.2, by the words that name it in package metadata.
_ALLOWED = re.compile(
    r"\b(MIT|BSD|Apache|ISC|Python Software Foundation|PSF|MPL|Mozilla|Unlicense|Zlib|CC0|OFL|"
    r"BlueOak|CC-BY|EUPL|LGPL)\b|0BSD|Python-2\.0",
    re.IGNORECASE,
)
# Packages whose metadata say nothing, each looked up in its own licence file.
_LOOKED_UP = {"cedarpy": "Apache-2.0", "fhirpathpy": "MIT", "fhirpy": "MIT"}


def main() -> int:
    """Run both audits; returns the exit status."""
    strict = "--strict" in sys.argv[1:]
    problems = [*python_licences(), *node_licences()]
    for problem in problems:
        print(f"licence: {problem}", file=sys.stderr)
    print(f"Licences: {'all allowed' if not problems else f'{len(problems)} to look at'}.")
    answers = {"Python": python_advisories(), "Node": node_advisories()}
    for source, found in answers.items():
        if found is None:
            print(
                f"Advisories for {source} packages were NOT CHECKED: their source did not answer.",
                file=sys.stderr,
            )
            continue
        for advisory in found:
            print(f"advisory: {advisory}", file=sys.stderr)
        print(f"Advisories for {source} packages: {len(found)}.")
    unknown = strict and any(found is None for found in answers.values())
    return 1 if problems or unknown or any(answers.values()) else 0


def python_licences() -> list[str]:
    """Name the locked Python packages whose licence is missing or not allowed."""
    problems = []
    for name in sorted({name for lock in LOCKS for name in locked(ROOT / lock)}):
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue  # for another system or Python
        said = about.get_all("License-Expression") or [
            *(c for c in about.get_all("Classifier") or [] if c.startswith("License ::")),
            *(text[:80] for text in about.get_all("License") or []),
        ]
        licence = " / ".join(said) or _LOOKED_UP.get(name, "")
        if not _ALLOWED.search(licence):
            problems.append(f"{name}: {licence or 'none stated'}")
    return problems


def node_licences() -> list[str]:
    """Name the locked Node packages whose licence is missing or not allowed."""
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    return [
        f"{path.removeprefix('node_modules/')}: {about.get('license', 'none stated')}"
        for path, about in packages.items()
        if path and not _ALLOWED.search(str(about.get("license", "")))
    ]


def python_advisories() -> list[str] | None:
    """Ask pip-audit about the locked versions; None when its source cannot be reached."""
    found = []
    for lock in LOCKS[1:]:
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / lock)]
        command += ["--disable-pip", "--require-hashes", "--format", "json", "--timeout", "10"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            return None
        found += [
            f"{package['name']} {package['version']}: {advisory['id']}"
            for package in answer["dependencies"]
            for advisory in package.get("vulns", [])
        ]
    return found


def node_advisories() -> list[str] | None:
    """Ask npm about the locked versions; None when its source cannot be reached."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "audit", "--package-lock-only", "--audit", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
        return [f"{name}: {about['severity']}" for name, about in answer["vulnerabilities"].items()]
    except (ValueError, KeyError):
        return None


def locked(lock: Path) -> list[str]:
    """Return the names of the packages in a lock file."""
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock.read_text("utf-8"), re.MULTILINE)


if __name__ == "__main__":
    raise SystemExit(main())
