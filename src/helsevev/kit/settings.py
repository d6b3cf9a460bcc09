"""What the environment decides: where the data lies, which database, which address."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

MOST_UNASKED = 4
"""Most processes that answer when nobody said how many."""

MOST_WORKERS = 64
_FALSE = frozenset({"", "0", "false", "no", "off"})


class BadSetting(ValueError):
    """An environment variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OpenID Connect provider: its issuer URL, our client there, and that client's key file."""

    url: str
    client_id: str
    key_file: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run; read once, at the start, and handed on.

    `database_url` None means the embedded PostgreSQL in `data`; `database_program_url` is a user
    who owns nothing there, for all but migrations and imports. `chromium` names the browser of
    the tests, None when they may choose. `address` is where others reach the server, "" when it
    is host and port; `subscription_endpoints` are beginnings of URLs that may be sent to.
    `deletes_several` lets a conditional delete take all that its condition fits. `staff_issuer` and
    `inhabitant_issuer` are the national logins; a session locks after `lock_after` without use.
    `workers` is how many processes answer, 0: as `processes` says. `medication_service` is where
    the national list of medicines is exchanged ("": nowhere), with the token in a file; it is
    waited for that many seconds. `dictation` says which speech recognition of the browser may be
    used in notes: "device" (what never leaves the device), "browser" (any), or "off".
    """

    data: Path
    database_url: str | None = None
    database_program_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    demo: bool = False
    chromium: str | None = None
    address: str = ""
    subscription_endpoints: tuple[str, ...] = ()
    deletes_several: bool = False
    audit_keys: Path | None = None
    staff_issuer: Issuer | None = None
    inhabitant_issuer: Issuer | None = None
    lock_after: timedelta = timedelta(minutes=15)
    workers: int = 0
    medication_service: str = ""
    medication_service_token: Path | None = None
    medication_seconds: int = 20
    dictation: str = "device"

    @property
    def processes(self) -> int:
        """How many processes answer: what was asked for, or one a core, up to `MOST_UNASKED`."""
        return self.workers or min(_cores(), MOST_UNASKED)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read HELSEVEV_DATA, _DATABASE_URL, _HOST, _PORT (or PORT), _DEMO, _CHROMIUM, _ADDRESS,
        _SUBSCRIPTION_ENDPOINTS, _CONDITIONAL_DELETE, _LOCK_AFTER, _WORKERS, _MEDICATION_SERVICE,
        _MEDICATION_SERVICE_TOKEN, _MEDICATION_SECONDS, _DICTATION, and _ISSUER, _CLIENT_ID and
        _KEY_FILE of STAFF and INHABITANT.

        Raises `BadSetting` for a port that is no port, too many workers, an address that is no
        https or http, a conditional delete that is neither single nor multiple, a dictation of no
        such kind, and half an issuer.
        """
        return cls(
            data=Path(environ.get("HELSEVEV_DATA") or "data").absolute(),
            database_url=environ.get("HELSEVEV_DATABASE_URL") or None,
            database_program_url=environ.get("HELSEVEV_DATABASE_PROGRAM_URL") or None,
            host=environ.get("HELSEVEV_HOST") or "127.0.0.1",
            port=_port(environ),
            demo=environ.get("HELSEVEV_DEMO", "").strip().lower() not in _FALSE,
            chromium=environ.get("HELSEVEV_CHROMIUM") or None,
            address="".join(_addresses(environ, "HELSEVEV_ADDRESS")[:1]).rstrip("/"),
            subscription_endpoints=_addresses(environ, "HELSEVEV_SUBSCRIPTION_ENDPOINTS"),
            deletes_several=_deletes_several(environ),
            audit_keys=_folder(environ, "HELSEVEV_AUDIT_KEYS"),
            staff_issuer=_issuer(environ, *_STAFF),
            inhabitant_issuer=_issuer(environ, *_INHABITANT),
            lock_after=_minutes(environ, "HELSEVEV_LOCK_AFTER", 15),
            workers=workers_of(environ.get("HELSEVEV_WORKERS") or "0", "HELSEVEV_WORKERS"),
            medication_service=_guarded(environ, "HELSEVEV_MEDICATION_SERVICE"),
            medication_service_token=_folder(environ, "HELSEVEV_MEDICATION_SERVICE_TOKEN"),
            medication_seconds=_seconds(environ, "HELSEVEV_MEDICATION_SECONDS", 20),
            dictation=_dictation(environ),
        )


_STAFF = ("HELSEVEV_STAFF_ISSUER", "HELSEVEV_STAFF_CLIENT_ID", "HELSEVEV_STAFF_KEY_FILE")
_INHABITANT = (
    "HELSEVEV_INHABITANT_ISSUER",
    "HELSEVEV_INHABITANT_CLIENT_ID",
    "HELSEVEV_INHABITANT_KEY_FILE",
)


def _issuer(environ: Mapping[str, str], issuer: str, client: str, key: str) -> Issuer | None:
    url = "".join(_addresses(environ, issuer)[:1])
    if not url:
        return None
    missing = [name for name in (client, key) if not environ.get(name)]
    if missing:
        raise BadSetting(f"{issuer} needs {' and '.join(missing)}")
    return Issuer(url, environ[client], Path(environ[key]).absolute())


def _minutes(environ: Mapping[str, str], name: str, default: int) -> timedelta:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 240):
        raise BadSetting(f"{name} is a number of minutes from 1 to 240, not {text[:80]!r}")
    return timedelta(minutes=int(text))


def _seconds(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 120):
        raise BadSetting(f"{name} is a number of seconds from 1 to 120, not {text[:80]!r}")
    return int(text)


def _guarded(environ: Mapping[str, str], name: str) -> str:
    """One address to which a token may be sent: https, or this machine."""
    address = "".join(_addresses(environ, name)[:1]).rstrip("/")
    here = ("http://127.0.0.1:", "http://localhost:")
    if address and not address.startswith(("https://", *here)):
        raise BadSetting(f"{name} must be an https address, not {address[:80]!r}")
    return address


def _dictation(environ: Mapping[str, str]) -> str:
    name = "HELSEVEV_DICTATION"
    text = environ.get(name, "").strip().lower() or "device"
    if text not in ("device", "browser", "off"):
        raise BadSetting(f"{name} is device, browser or off, not {text[:80]!r}")
    return text


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    path = environ.get(name)
    return Path(path).absolute() if path else None


def _deletes_several(environ: Mapping[str, str]) -> bool:
    name = "HELSEVEV_CONDITIONAL_DELETE"
    text = environ.get(name, "").strip().lower() or "single"
    if text not in ("single", "multiple"):
        raise BadSetting(f"{name} is single or multiple, not {text[:80]!r}")
    return text == "multiple"


def _addresses(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = tuple(environ.get(name, "").replace(",", " ").split())
    for address in found:
        if not address.startswith(("https://", "http://")):
            raise BadSetting(f"{name} holds https addresses, not {address[:80]!r}")
    return found


def workers_of(text: str, name: str) -> int:
    """The number of workers that a text says, 0 for as many as fit. Raises `BadSetting`."""
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_WORKERS):
        raise BadSetting(f"{name} must be a number from 0 to {MOST_WORKERS}, not {text[:80]!r}")
    return int(text)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _port(environ: Mapping[str, str]) -> int:
    name = "HELSEVEV_PORT" if environ.get("HELSEVEV_PORT") else "PORT"
    text = environ.get(name) or "8000"
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise BadSetting(f"{name} must be a port number from 0 to 65535, not {text!r}")
    return int(text)
