"""What an app is told when it is not let in: OAuth's own words (RFC 6749 sections 4.1.2.1, 5.2)."""

from __future__ import annotations


class NotLetIn(Exception):
    """A request that is not granted: `error` is OAuth's code for it, `description` says why."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description

    @property
    def status(self) -> int:
        """The HTTP status of an answer that is no redirect."""
        return 401 if self.error == "invalid_client" else 400

    def as_data(self) -> dict[str, str]:
        """The body of such an answer."""
        return {"error": self.error, "error_description": self.description}


def invalid_grant(description: str) -> NotLetIn:
    """A code or refresh token that is worth nothing (any longer)."""
    return NotLetIn("invalid_grant", description)


def invalid_client(description: str = "This is no app that is registered here.") -> NotLetIn:
    """An app that has not shown who it is."""
    return NotLetIn("invalid_client", description)
