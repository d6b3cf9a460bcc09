"""The two national login profiles, and the client that we are to each provider."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from helsevev.kit.settings import BadSetting, Issuer, Settings

Who = Literal["staff", "inhabitants"]
Key = ECKey | RSAKey

HPR_SCOPE: Final = "helseid://scopes/hpr/hpr_number"
LEVEL_SCOPE: Final = "helseid://scopes/identity/security_level"
ASSURANCE_SCOPE: Final = "helseid://scopes/identity/assurance_level"
ID_PORTEN_HIGH: Final = "idporten-loa-high"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a provider is spoken to.

    Staff: HelseID's security profile (code with PKCE through PAR, private_key_jwt, signed request
    object, DPoP). Inhabitants: ID-porten's (code with PKCE through PAR, private_key_jwt), where
    `acr` is the level that is asked for.
    """

    who: Who
    scope: str
    acr: str = ""
    dpop: bool = False
    request_object: bool = False


PROFILES: Final[dict[Who, Profile]] = {
    "staff": Profile(
        "staff",
        f"openid profile {HPR_SCOPE} {LEVEL_SCOPE} {ASSURANCE_SCOPE}",
        dpop=True,
        request_object=True,
    ),
    "inhabitants": Profile("inhabitants", "openid profile", acr=ID_PORTEN_HIGH),
}


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to one provider: its issuer, our id there, and the key that proves it is us."""

    profile: Profile
    issuer: str
    client_id: str
    key: Key

    @property
    def algorithm(self) -> str:
        """The signature algorithm of our key."""
        return "ES256" if isinstance(self.key, ECKey) else "RS256"


def clients_of(settings: Settings) -> dict[Who, Client]:
    """The clients that the settings name. Raises `BadSetting` for a key that cannot be used."""
    found: dict[Who, Client] = {}
    named: tuple[tuple[Who, Issuer | None], ...] = (
        ("staff", settings.staff_issuer),
        ("inhabitants", settings.inhabitant_issuer),
    )
    for who, issuer in named:
        if issuer is not None:
            key = key_from(Path(issuer.key_file))
            found[who] = Client(PROFILES[who], issuer.url, issuer.client_id, key)
    return found


def key_from(path: Path) -> Key:
    """The private key in a file: a JWK or PEM, EC on P-256 or RSA.

    Raises `BadSetting` when there is none, or none of these.
    """
    try:
        text = path.read_text("utf-8").strip()
        key = import_key(json.loads(text)) if text.startswith("{") else _from_pem(text)
    except (OSError, ValueError, TypeError, JoseError) as problem:
        raise BadSetting(f"{path} holds no key that can be used: {problem}") from problem
    is_usable = isinstance(key, RSAKey) or (isinstance(key, ECKey) and key.curve_name == "P-256")
    if not is_usable or not key.is_private:
        raise BadSetting(f"{path} must hold a private key, RSA or EC on P-256")
    assert isinstance(key, ECKey | RSAKey)
    return key


def own_key(path: Path) -> Key:
    """The key in this file; one is made, readable by its owner only, when there is no file."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ECKey.generate_key("P-256", private=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.as_pem(private=True))
    return key_from(path)


def _from_pem(text: str) -> Key:
    key = serialization.load_pem_private_key(text.encode(), None)
    return (
        ECKey.import_key(text)
        if isinstance(key, EllipticCurvePrivateKey)
        else RSAKey.import_key(text)
    )
