"""Notifications go where the one who runs the server said, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.subscriptions.endpoints import Endpoints

NAMED = Endpoints(("https://lab.example/hooks", "https://ward.example:8443", "http://127.0.0.1:81"))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://lab.example/hooks", True),
        ("https://lab.example/hooks/a?b=c", True),
        ("https://LAB.example:443/hooks/a", True),
        ("https://ward.example:8443/anything", True),
        ("http://127.0.0.1:81/x", True),
        ("http://127.0.0.1:82/x", False),
        ("https://lab.example/hooksmith", False),
        ("https://lab.example/hooks/../admin", False),
        ("https://lab.example/hooks/%2e%2e/admin", False),
        ("https://lab.example.evil.example/hooks", False),
        ("https://lab.example@evil.example/hooks", False),
        ("https://lab.example\\@evil.example/hooks", False),
        ("http://lab.example/hooks", False),
        ("https://ward.example/anything", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("http://localhost/", False),
        ("ftp://lab.example/hooks", False),
        ("https:///hooks", False),
        ("https://lab.example:99999/hooks", False),
        ("", False),
    ],
)
def test_only_named_beginnings_are_allowed(url: str, allowed: bool) -> None:
    assert (NAMED.refusal(url) is None) is allowed


def test_without_a_setting_nothing_is_allowed_and_a_demo_reaches_its_own_machine_only() -> None:
    assert Endpoints().refusal("http://127.0.0.1:8000/hook")
    demo = Endpoints(loopback=True)
    for url in ("http://127.0.0.1:8000/hook", "http://localhost/x", "http://[::1]:9/x"):
        assert demo.refusal(url) is None
    assert demo.refusal("https://lab.example/hooks")


@given(st.text(max_size=60))
def test_no_text_gets_past_an_empty_list(text: str) -> None:
    assert Endpoints().refusal(text)
    assert Endpoints().refusal(f"https://{text}")
