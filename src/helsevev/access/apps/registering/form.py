"""A registration as an administrator writes it, in a form or on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from helsevev.access.apps.registration import Kind, Registration
from helsevev.access.errors import Invalid
from helsevev.fhir.outcome import error


def asked_of(said: Mapping[str, str]) -> Registration:
    """What was written, not yet checked; lists stand apart by spaces or lines.

    `keys` is a JWKS, or the address of one. Raises `Invalid` for keys that are neither.
    """
    keys = said.get("keys", "").strip()
    jwks: dict[str, Any] | None = None
    if keys and not keys.startswith("http"):
        try:
            jwks = msgspec.json.decode(keys, type=dict[str, Any])
        except msgspec.DecodeError as problem:
            text = "The keys are a JWKS (JSON), or the address of one."
            raise Invalid([error("value", text, "keys")]) from problem
    return Registration(
        name=said.get("name", "").strip(),
        vendor=said.get("vendor", "").strip(),
        kind=cast("Kind", said.get("kind", "public")),
        redirect_uris=tuple(said.get("redirect_uris", "").split()),
        scopes=tuple(dict.fromkeys(said.get("scopes", "").split())),
        launch_url=said.get("launch_url", "").strip(),
        jwks=jwks,
        jwks_url=keys if keys.startswith("http") else "",
        for_staff="for_staff" in said,
        for_inhabitants="for_inhabitants" in said,
    )


def filled(asked: Registration) -> dict[str, str]:
    """A registration as `asked_of` reads it."""
    said = {
        "name": asked.name,
        "vendor": asked.vendor,
        "kind": asked.kind,
        "redirect_uris": "\n".join(asked.redirect_uris),
        "scopes": "\n".join(asked.scopes),
        "launch_url": asked.launch_url,
        "keys": asked.jwks_url or (msgspec.json.encode(asked.jwks).decode() if asked.jwks else ""),
    }
    chosen = {"for_staff": asked.for_staff, "for_inhabitants": asked.for_inhabitants}
    return said | {name: "yes" for name, is_so in chosen.items() if is_so}
