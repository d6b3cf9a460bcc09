"""The addresses of forms, for rooms that see this chapter; others take them from the screens."""

from __future__ import annotations

from helsevev.screens.addresses import answers_link, form_link

__all__ = ["answers_link", "form_link"]
