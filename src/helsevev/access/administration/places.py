"""Where those begin whose work is with who works here, and with apps, and not with patients."""

from __future__ import annotations

from helsevev.access.actor import Actor
from helsevev.access.policy import Facts, decide


def home_of(actor: Actor) -> str:
    """The address where an administrator's day begins; "" for everybody else."""
    facts = Facts("reference")
    if actor.kind != "practitioner" or actor.scopes is not None:
        return ""
    if decide(actor, "administer", facts).allowed:
        return "/administration"
    return "/apps" if decide(actor, "register-apps", facts).allowed else ""
