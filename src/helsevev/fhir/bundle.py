"""Transactions and batches: what each entry asks, in which order, and which links to rewrite.

The rules are http://hl7.org/fhir/R4/http.html#transaction and
http://hl7.org/fhir/R4/bundle.html#references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from helsevev.fhir import references
from helsevev.fhir.definitions import RESOURCE_TYPES, elements, is_structure
from helsevev.fhir.outcome import Issue, error

_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
_URL = re.compile(r"(?P<type>[A-Za-z]+)(?:/(?P<id>[A-Za-z0-9\-.]{1,64}))?(?:\?(?P<query>.*))?")
_ANYTHING = re.compile(r"(?P<type>)(?P<id>)?(?P<query>)?")
_OPERATION = re.compile(r"(?:[A-Za-z]+/)?(?:[A-Za-z0-9\-.]{1,64}/)?\$[a-z][a-z\-]*(?:\?.*)?")
_RESTFUL = re.compile(r"(?P<base>https?://.+)/[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_ETAG = re.compile(r"""(?:W/)?"(?P<version>[^"]+)"$""")
_LINK = re.compile(r"""(?P<before>\b(?:href|src)\s*=\s*(?P<quote>["']))(?P<url>.*?)(?P=quote)""")
# Links to these types of value are rewritten; canonical and identifier values are not.
_URL_TYPES = frozenset({"uri", "url", "oid", "uuid"})


class BundleError(ValueError):
    """The Bundle cannot be carried out; `issues` say which entry and why."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(f"{issue.expression}: {issue.diagnostics}" for issue in issues))
        self.issues = tuple(issues)


@dataclass(slots=True)
class _Survey:
    """The objects with a `reference`, the texts that may be a URL, whether a narrative links."""

    references: list[dict[str, Any]]
    texts: list[str]
    narrative_links: bool

    def look_into(self, element: dict[str, Any]) -> None:
        for name, value in element.items():
            if type(value) is str:
                if name == "reference":
                    self.references.append(element)
                elif ":" in value:
                    self.texts.append(value)
                    if name == "div" and ("href" in value or "src" in value):
                        self.narrative_links = True
            elif type(value) is dict:
                self.look_into(value)
            elif type(value) is list:
                self._look_into_list(value)

    def _look_into_list(self, items: list[Any]) -> None:
        for item in items:
            if type(item) is dict:
                self.look_into(item)
            elif type(item) is str:
                self.texts.append(item)
            elif type(item) is list:
                self._look_into_list(item)


@dataclass(slots=True)
class Entry:
    """What one entry of a transaction or batch asks for.

    `index` is its place in the Bundle. `resource_id` is None for creates and for conditional
    requests; `query` is the search after `?` of a conditional request or of a search by GET.
    `if_match` is the version asked for, without quotes. `resource` is the Bundle's own object.
    """

    index: int
    method: str
    url: str
    resource_type: str
    resource_id: str | None
    query: str | None
    resource: dict[str, Any] | None
    full_url: str | None
    if_match: str | None
    if_none_match: str | None
    if_none_exist: str | None
    _surveyed: _Survey | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """The FHIRPath of the entry."""
        return f"Bundle.entry[{self.index}]"

    @property
    def calls_operation(self) -> bool:
        """Whether it calls an operation with a body, and writes nothing by itself."""
        return _asks(self.method, self.url)

    @property
    def survey(self) -> _Survey:
        """What of the resource may be a link; sought once, then kept."""
        if self._surveyed is None:
            self._surveyed = _Survey([], [], False)
            if self.resource is not None:
                self._surveyed.look_into(self.resource)
        return self._surveyed

    def become(self, resource: dict[str, Any]) -> None:
        """Take another resource's place: what a patch made, where the patch stood."""
        self.resource = resource
        self._surveyed = None

    @property
    def links(self) -> list[dict[str, Any]]:
        """Every object of the resource with a string `reference`."""
        return self.survey.references


def read_entries(bundle: dict[str, Any]) -> list[Entry]:
    """The entries of a transaction in the Bundle's order; BundleError names every faulty one.

    Refused besides unreadable requests: two entries with one fullUrl, and two that write one
    resource, which a transaction could only do in an undefined order.
    """
    found: list[Entry] = []
    issues: list[Issue] = []
    for index, item in enumerate(bundle.get("entry", ())):
        try:
            found.append(read_entry(index, item))
        except BundleError as problem:
            issues += problem.issues
    issues += _repeated(found)
    if issues:
        raise BundleError(issues)
    return found


def read_entry(index: int, item: Any) -> Entry:
    """One entry of a transaction or batch; BundleError when it cannot be carried out."""
    path = f"Bundle.entry[{index}]"
    request = item.get("request") if type(item) is dict else None
    if type(request) is not dict:
        raise BundleError([error("required", "the entry has no request", f"{path}.request")])
    method, url = request.get("method"), request.get("url")
    if type(method) is not str or method not in _ORDER:
        raise BundleError([error("value", f"no such method: {method}", f"{path}.request.method")])
    match = _URL.fullmatch(url) if type(url) is str else None
    if match is not None and match["type"] not in (*RESOURCE_TYPES, "metadata"):
        match = None
    elif match is None and type(url) is str and (method in ("GET", "HEAD") or _asks(method, url)):
        # Histories and versions are read by paths of their own, and so are operations called.
        match = _ANYTHING.match(url)
    if match is None:
        text = f"the request names no resource type: {url}"
        raise BundleError([error("value", text, f"{path}.request.url")])
    entry = Entry(
        index=index,
        method=method,
        url=str(url),
        resource_type=match["type"],
        resource_id=match["id"],
        query=match["query"] or None,
        resource=item["resource"] if type(item.get("resource")) is dict else None,
        full_url=_text(item.get("fullUrl")),
        if_match=_version(request.get("ifMatch")),
        if_none_match=_version(request.get("ifNoneMatch")),
        if_none_exist=_text(request.get("ifNoneExist")),
    )
    issues = list(_faults(entry))
    if issues:
        raise BundleError(issues)
    return entry


def _asks(method: str, url: str) -> bool:
    """Whether an operation is called with a body."""
    return method == "POST" and _OPERATION.fullmatch(url) is not None


def processing_order(entries: Iterable[Entry]) -> list[Entry]:
    """DELETE, then POST, then PUT and PATCH, then GET and HEAD; else in the Bundle's order."""
    return sorted(entries, key=lambda entry: _ORDER[entry.method])


def conditional_references(entries: Iterable[Entry]) -> dict[str, str]:
    """Every search that stands for a reference (`Practitioner?identifier=…`) -> its first place."""
    found: dict[str, str] = {}
    for entry in entries:
        for container in entry.links:
            text = container["reference"]
            if "?" in text and references.is_conditional(text) and text not in found:
                found[text] = _place(entry, container)
    return found


def link(
    entries: Sequence[Entry],
    assigned: Mapping[int, str],
    found: Mapping[str, str] | None = None,
    *,
    partly: bool = False,
) -> list[Issue]:
    """Rewrite, in place, the links between entries and the conditional references.

    `assigned` gives each written entry's index its `Type/id`, `found` each conditional reference
    the one resource it matches. Links are Reference.reference, elements of type uri, url, oid and
    uuid, and href and src in narratives, never canonicals. Issues name references to `urn:uuid:`
    or `urn:oid:` that no entry has, and conditional references that are not in `found`; `partly`
    leaves them for a later call, and says nothing.
    """
    found = found or {}
    targets = {
        entry.full_url: assigned[entry.index]
        for entry in entries
        if entry.full_url and entry.index in assigned
    }
    issues: list[Issue] = []
    for entry in entries:
        if entry.resource is None or entry.method not in ("POST", "PUT", "PATCH"):
            continue
        match = _RESTFUL.fullmatch(entry.full_url or "")
        base = match["base"] + "/" if match else ""
        for container in entry.links:
            text = container["reference"]
            target = found.get(text) or _target(text, base, targets)
            if target is not None:
                container["reference"] = target
            elif not partly and _is_dangling(text):
                issues.append(_dangling(text, _place(entry, container)))
        survey, structure = entry.survey, entry.resource.get("resourceType")
        may_link = survey.narrative_links or not targets.keys().isdisjoint(survey.texts)
        if may_link and type(structure) is str and is_structure(structure):
            _rewrite_urls(entry.resource, structure, targets)
    return issues


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _version(etag: object) -> str | None:
    if type(etag) is not str:
        return None
    match = _ETAG.match(etag)
    return match["version"] if match else etag


def _faults(entry: Entry) -> Iterator[Issue]:
    url_path = f"{entry.path}.request.url"
    resource = entry.resource
    if entry.calls_operation:
        return
    if entry.method in ("POST", "PUT", "PATCH") and type(resource) is not dict:
        yield error("required", f"{entry.method} needs a resource", f"{entry.path}.resource")
        return
    if entry.method in ("POST", "PUT") and type(resource) is dict:
        named = resource.get("resourceType")
        if named != entry.resource_type:
            text = f"the request is for {entry.resource_type}, the resource is {named}"
            yield error("value", text, url_path)
    if entry.method == "POST" and (entry.resource_id or entry.query):
        yield error("not-supported", f"POST creates at a type, not at {entry.url}", url_path)
    if entry.method in ("PUT", "PATCH", "DELETE") and not (entry.resource_id or entry.query):
        yield error("value", f"{entry.method} names a resource or a search", url_path)
    if entry.method == "PUT" and type(resource) is dict:
        asked = entry.resource_id
        if asked is not None and resource.setdefault("id", asked) != asked:
            text = f"the id of the resource is not the {asked} of the request"
            yield error("value", text, f"{entry.path}.resource.id")


def _repeated(entries: Iterable[Entry]) -> Iterator[Issue]:
    urls: set[str] = set()
    written: set[tuple[str, str]] = set()
    for entry in entries:
        if entry.full_url and entry.method in ("POST", "PUT"):
            if entry.full_url in urls:
                text = f"bdl-7: two entries have the fullUrl {entry.full_url}"
                yield error("invariant", text, f"{entry.path}.fullUrl")
            urls.add(entry.full_url)
        if entry.resource_id and entry.method in ("PUT", "PATCH", "DELETE"):
            key = (entry.resource_type, entry.resource_id)
            if key in written:
                text = f"another entry writes {entry.resource_type}/{entry.resource_id} too"
                yield error("duplicate", text, f"{entry.path}.request.url")
            written.add(key)


def links_of(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """Every object in the resource with a string `reference`, contained resources included."""
    survey = _Survey([], [], False)
    survey.look_into(resource)
    return survey.references


def _target(text: str, base: str, targets: Mapping[str, str]) -> str | None:
    """The resource that a reference names through an entry's fullUrl."""
    plain, _, version = text.partition("/_history/")
    target = targets.get(plain) or (targets.get(base + plain) if base else None)
    if target is None:
        return None
    return f"{target}/_history/{version}" if version else target


def _is_dangling(text: str) -> bool:
    return text.startswith(("urn:uuid:", "urn:oid:")) or references.is_conditional(text)


def _dangling(text: str, path: str) -> Issue:
    if text.startswith("urn:"):
        return error("not-found", f"no entry of the Bundle has the fullUrl {text}", path)
    return error("not-found", f"nothing, or more than one resource, matches {text}", path)


def _place(entry: Entry, container: dict[str, Any]) -> str:
    for path, reference in references.walk(entry.resource or {}):
        if reference is container:
            below = path.partition(".")[2]
            return f"{entry.path}.resource.{below}.reference"
    return f"{entry.path}.resource"


def _rewrite_urls(element: dict[str, Any], structure: str, targets: Mapping[str, str]) -> None:
    """Rewrite elements of URL types and links in narratives below an element of known type."""
    for name, value in element.items():
        if type(value) is str:
            if value in targets:
                if _type_of(structure, name) in _URL_TYPES:
                    element[name] = targets[value]
            elif name == "div" and structure == "Narrative":
                element[name] = _LINK.sub(lambda found: _relinked(found, targets), value)
        elif type(value) is dict:
            below = value.get("resourceType") or _type_of(structure, name)
            if type(below) is str and is_structure(below):
                _rewrite_urls(value, below, targets)
        elif type(value) is list:
            kind = _type_of(structure, name)
            for index, item in enumerate(value):
                if type(item) is dict:
                    below = item.get("resourceType") or kind
                    if type(below) is str and is_structure(below):
                        _rewrite_urls(item, below, targets)
                elif type(item) is str and kind in _URL_TYPES:
                    value[index] = targets.get(item, item)


def _relinked(found: re.Match[str], targets: Mapping[str, str]) -> str:
    url = targets.get(found["url"], found["url"])
    return f"{found['before']}{url}{found['quote']}"


@lru_cache(maxsize=20_000)
def _type_of(structure: str, name: str) -> str | None:
    """The type of the JSON element `name` in a structure; None when there is no such element."""
    known = elements(structure)
    if name in known:
        return known[name].types[0].name
    for element in known.values():
        if element.is_choice and name.startswith(element.name[:-3]):
            kind = element.json_names().get(name)
            if kind is not None:
                return kind.name
    return None
