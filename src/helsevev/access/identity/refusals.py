"""Why somebody could not be signed in, in words for them and in words for the log."""

from __future__ import annotations


class LoginRefused(Exception):
    """Nobody was signed in: `reason` is an English source text for them, `detail` is for the log.

    `about` fills the `%s` of the reason, if it has one. `person` is the reference of who it is
    about, when that is known.
    """

    def __init__(self, reason: str, detail: str = "", *, about: str = "", person: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.about = about
        self.person = person


class ProviderDown(Exception):
    """The national login does not answer as it should; the message says how."""
