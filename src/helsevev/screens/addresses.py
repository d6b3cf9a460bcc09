"""Addresses of pages that many rooms link to, said once so that none of them knows the others."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def form_link(patient_id: str, key: str, *, task: str = "") -> str:
    """Where a form or score of the content is filled in for a patient; `key` is the item's.

    `task` (the id of a Task) is completed by signing, in the same transaction.
    """
    address = f"/patient/{quote(patient_id, safe='')}/forms/{quote(key, safe='')}"
    return f"{address}?{urlencode({'task': task})}" if task else address


def answers_link(patient_id: str, response_id: str) -> str:
    """Where a signed form is read, by the id of its QuestionnaireResponse."""
    return f"/patient/{quote(patient_id, safe='')}/answers/{quote(response_id, safe='')}"
