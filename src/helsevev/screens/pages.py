"""The living style page: every component in every state, in the running app."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from litestar import Request, Response, get

from helsevev.locale import style_samples
from helsevev.screens.rendering import render


def _points(curve: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"time": when, "value": value, "source": curve["source"]} for when, value in curve["points"]
    ]


def _options(labels: list[str]) -> list[dict[str, str]]:
    return [{"value": label, "label": label} for label in labels]


def _labelled(parts: list[list[str]]) -> list[dict[str, str]]:
    return [{"label": label, "value": value, "score": score} for label, value, score in parts]


@get("/style", opt={"decision": "public"}, sync_to_thread=False)
def show_style_page(request: Request[Any, Any, Any]) -> Response[str]:
    """Show every component, empty, normal and overfull; nothing on it is a real person."""
    samples = style_samples()
    person, unit = samples["people"][0], samples["units"][0]
    viewer = SimpleNamespace(
        kind="practitioner",
        name=person["name"],
        role=unit["role"],
        unit_name=unit["name"],
        organisation_name=person["organisation"],
    )
    return render(
        request,
        "screens/style.html",
        samples=samples,
        words=samples["words"],
        points_of=_points,
        options_of=_options,
        labelled=_labelled,
        sample_now=datetime.fromisoformat(samples["now"]),
        viewer=viewer,
        viewer_units=samples["units"],
        inbox_count=3,
    )


@get("/style/panel", opt={"decision": "public"}, sync_to_thread=False)
def show_style_panel(request: Request[Any, Any, Any]) -> Response[str]:
    """Answer the style page's self-refreshing panel with itself."""
    return render(request, "screens/_style_panel.html", words=style_samples()["words"])


@get("/style/curve", opt={"decision": "public"}, sync_to_thread=False)
def show_style_curve(request: Request[Any, Any, Any]) -> Response[str]:
    """Answer a result row that was asked for its curve."""
    curve = style_samples()["curve"]
    return render(request, "screens/_style_curve.html", curve=curve, points_of=_points)
