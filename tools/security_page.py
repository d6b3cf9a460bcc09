"""The page of docs/reference that says of each item of OWASP ASVS what proves it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

_ITEMS = Path(__file__).resolve().parent.parent / "docs" / "asvs.csv"


def security(table: Callable[[Sequence[str], Iterable[Sequence[str]]], str]) -> str:
    """Each item of OWASP ASVS that applies, with the test that proves it or why it is not met."""
    with _ITEMS.open(encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    rows = [
        (i["item"], i["what"], i["state"], f"`{i['proof']}`" if i["proof"] else "", i["note"])
        for i in items
    ]
    count = Counter(i["state"] for i in items)
    told = ", ".join(f"{number} {state}" for state, number in count.most_common())
    return f"""# Security, item by item

The items of OWASP ASVS 4.0.3, levels 1 and 2: {told}. What each says is told in few
words of our own; the [standard](https://owasp.org/www-project-application-security-verification-standard/)
has the whole. What does not apply says why. From `docs/asvs.csv`; a test sees that each named test
exists.
What could happen and what holds against it: [threat model](../explanation/threat-model.md).

{table(("item", "about", "state", "proved by", "note"), rows)}
"""
