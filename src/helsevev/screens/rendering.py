"""Templates to answers: one Jinja environment, one `render`, and `ui` with every component."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.template.base import csrf_token
from markupsafe import Markup

from helsevev.kit import clock
from helsevev.locale import gettext, translations
from helsevev.screens.curves import curve, part, sparkline
from helsevev.screens.differences import word_difference
from helsevev.screens.formatting import FILTERS
from helsevev.screens.interpretation import abnormality, trend
from helsevev.screens.static_files import asset

PACKAGE = Path(__file__).parent.parent
COMPONENTS = Path(__file__).parent / "templates" / "components"

_SAME: Final = ("icon", "new_mark", "abnormal_mark")
"""Components that stand many times on a page, and say the same whenever they are given the same."""

_LAYOUT_DEFAULTS: dict[str, Any] = {
    "viewer": None,
    "viewer_units": (),
    "inbox_count": None,
    "lock_after": 0,
    "place": "",
    "live_url": "",
    "page_title": "",
}


@lru_cache
def environment() -> Environment:
    """Return the one template environment; each room's `templates/` is found as `<room>/…`."""
    rooms = sorted(path for path in PACKAGE.iterdir() if (path / "templates").is_dir())
    templates = Environment(
        loader=PrefixLoader({room.name: FileSystemLoader(room / "templates") for room in rooms}),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        # Templates come with the program: nobody need look at each file again for each page.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.install_gettext_translations(  # type: ignore[attr-defined]
        translations(), newstyle=True
    )
    templates.globals.update(_=said, gettext=said)
    templates.filters.update(FILTERS, part=part)
    components = SimpleNamespace()
    templates.globals.update(
        ui=components,
        asset=asset,
        abnormality=abnormality,
        trend=trend,
        word_difference=word_difference,
        curve_drawing=curve,
        sparkline_drawing=sparkline,
    )
    for path in sorted(COMPONENTS.glob("*.html")):
        module = templates.get_template(f"screens/components/{path.name}").module
        for name, macro in vars(module).items():
            if not name.startswith("_"):
                setattr(components, name, macro)
    for name in _SAME:
        setattr(components, name, lru_cache(maxsize=256)(getattr(components, name)))
    return templates


def said(text: str, /, **variables: Any) -> Markup:
    """A text of a template in the reader's language, its variables escaped and put in."""
    return _translated(text) % variables if variables else _said_plainly(text)


@lru_cache(maxsize=4096)
def _said_plainly(text: str) -> Markup:
    # Of "%%" one is left, as where there are variables.
    return _translated(text) % {}


@lru_cache(maxsize=4096)
def _translated(text: str) -> Markup:
    return Markup(gettext(text))  # noqa: S704 (our own texts, none that anyone wrote)


def render_text(template: str, **context: Any) -> str:
    """Return the rendered template; what the layout needs and `context` lacks gets its default.

    Raises `jinja2.UndefinedError` when the template names something that was not given.
    """
    token = str(context.pop("csrf_token", ""))
    values: dict[str, Any] = {
        **_LAYOUT_DEFAULTS,
        "now": clock.now(),
        "csrf_token": token,
        "csrf_input": Markup('<input type="hidden" name="_csrf_token" value="{}">').format(token),
        **context,
    }
    return environment().get_template(template).render(values)


def render(
    request: Request[Any, Any, Any] | None,
    template: str,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response[str]:
    """Return a page or a fragment as an answer that is never stored by browser or proxy.

    The signed-in actor is `viewer` in the template, None when nobody is signed in; `viewer_units`
    are what they may switch to, and `lock_after` the seconds without use that lock their screen.
    Forms take
    `{{ csrf_input }}`; htmx requests get the token from the layout.
    """
    if request is not None:
        context.setdefault("viewer", request.scope.get("user"))
        context.setdefault("viewer_units", request.scope.get("units", ()))
        if context["viewer"] is not None:
            context.setdefault("lock_after", request.scope.get("lock_after", 0))
        context.setdefault("csrf_token", csrf_token({"request": request}))
    return Response(
        render_text(template, **context),
        media_type=MediaType.HTML,
        status_code=status_code,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
