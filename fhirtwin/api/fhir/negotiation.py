"""Which format the caller sends and wants: http://hl7.org/fhir/R4/http.html#mime-type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes, urlencode

from flask import g, request

from fhirtwin import timing
from fhirtwin.api import body, rendering
from fhirtwin.errors import Incorrect, NotAcceptable, Unsupported, WrongMediaType
from fhirtwin.fhir import media_types, xml
from fhirtwin.fhir.media_types import Format
from fhirtwin.interactions.patch import Form
from fhirtwin.settings import Settings

GENERAL: Final = frozenset({"_format", "_pretty"})
"""Parameters of any request that are about the answer's form."""

_ANY: Final = ("application/*", "*/*")


def refuse_other_encodings() -> None:
    """Return when the parameters of the URL are UTF-8: `M%FCller` would be a search for somebody of another name.

    Raises:
        Incorrect: they are not.
    """
    try:
        unquote_to_bytes(request.query_string).decode()
    except UnicodeDecodeError:
        raise Incorrect("The parameters of the URL are not UTF-8: escape `ü` as %C3%BC.") from None


def settle(*, any_type: bool = False) -> None:
    """Settle in which format the request at hand is answered; `_format` wins over `Accept`.

    Args:
        any_type: whether the answer may turn out to be something else than a resource.

    Raises:
        NotAcceptable: the caller wants another than JSON and XML.
        Incorrect: `_format` or `_pretty` cannot be understood.
    """
    if any_type and not accepts_resource():
        rendering.settle(Format.JSON, pretty=False)  # of an error
        return
    settle_by(list(request.args.items(multi=True)))


def accepts_resource() -> bool:
    """Whether `_format` or the header let a resource be the answer, in either format."""
    return "_format" in request.args or _accepted() is not None


def prefers(media_type: str) -> bool:
    """Whether the caller would rather have content of this type than the resource that holds it.

    A resource is wanted where FHIR's own media types are named, or nothing is. `application/json` and the like are any
    content's.

    Args:
        media_type: without parameters.
    """
    accept = request.accept_mimetypes
    if "_format" in request.args or all(wished == "*/*" for wished, _ in accept):
        return False
    named = [quality for wished, quality in accept if "fhir" in wished.lower() and _format_of(wished)]
    return accept.quality(media_type) > max(named, default=0)


def settle_by(parameters: Iterable[tuple[str, str]]) -> None:
    """As `settle`, by parameters of whatever origin and the header.

    Raises:
        NotAcceptable, Incorrect: as `settle`.
    """
    given: dict[str, str] = {}
    for name, value in parameters:
        if name in GENERAL and given.setdefault(name, value) != value:
            raise Incorrect(f"`{name}` may be given once.")
    if given.get("_pretty", "false") not in ("true", "false"):
        raise Incorrect("`_pretty` must be true or false.")
    wanted = given.get("_format")
    chosen = _accepted() if wanted is None else _named(wanted)
    if chosen is None:
        raise NotAcceptable("This server answers in application/fhir+json and application/fhir+xml.")
    rendering.settle(chosen, pretty=given.get("_pretty") == "true")
    g.form = tuple(given.items())


def form() -> tuple[tuple[str, str], ...]:
    """The parameters about the answer's form, each once: links to its other pages repeat them."""
    given: tuple[tuple[str, str], ...] = g.get("form", ())
    return given


def _named(wanted: str) -> Format | None:
    # In a URL a plus sign is a space unless it was escaped, and often it was not.
    name = wanted.strip().lower().replace(" ", "+")
    return media_types.SHORT.get(name) or _format_of(name.replace(";+", ";"))


def _accepted() -> Format | None:
    """The format that the caller likes best; of two liked alike, the one named first, or else the one sent.

    *Source*: RFC 9110, 12.5.1: the most specific range decides.
    """
    own = _format_of(request.headers.get("Content-Type", "")) or Format.JSON
    accept = request.accept_mimetypes
    if not accept:
        return own
    named: dict[Format, float] = {}
    ranges: dict[str, float] = {}
    for wished, quality in accept:
        found = _format_of(wished)
        if found:
            named[found] = max(quality, named.get(found, 0))
        else:
            ranges.setdefault(wished.partition(";")[0].strip().lower(), quality)
    for other in (own, *Format):
        if other not in named:
            named[other] = next((ranges[name] for name in _ANY if name in ranges), 0)
    best = max(named, key=named.__getitem__)
    return best if named[best] > 0 else None


def _format_of(media_type: str) -> Format | None:
    try:
        return media_types.of(media_type)
    except WrongMediaType:
        return None


def read_resource(settings: Settings) -> bytes:
    """The body of the request at hand as JSON; what came as XML remembers it (`fhirtwin.fhir.xml.FromXml`).

    Raises:
        WrongMediaType: it is declared as neither, or compressed.
        TooLarge, Incorrect: it cannot be read whole, or is no FHIR XML.
    """
    _sent()  # before anything is read
    return as_json(body.read_body(settings.max_body_bytes), settings)


def as_json(data: bytes, settings: Settings) -> bytes:
    """A body that was read, as `read_resource` gives it.

    Raises:
        WrongMediaType, Incorrect: as `read_resource`.
    """
    if _sent() is Format.JSON:
        return data
    with timing.stage("parse"):
        return xml.from_xml(data, max_depth=settings.max_depth)


def patch_form() -> Form:
    """How the body of a patch is written, by its declared type.

    Raises:
        WrongMediaType: as no patch that is done here.
    """
    declared = request.headers.get("Content-Type", "")
    if declared.partition(";")[0].strip().lower() == Form.JSON:
        media_types.of(declared.lower().replace(Form.JSON, Format.JSON, 1))  # judges its parameters
        refuse_compressed()
        return Form.JSON
    try:
        _sent()
    except WrongMediaType as error:
        raise WrongMediaType(f"{error} A patch may also be {Form.JSON}; XML Patch is not done here.") from None
    return Form.FHIRPATH


def criteria() -> str:
    """The search in the URL of an interaction that is conditional."""
    return urlencode(parameters())


def require_json_sent() -> None:
    """Return when the body is declared as FHIR's JSON, and not compressed.

    Raises:
        WrongMediaType: it is not.
    """
    if _sent() is not Format.JSON:
        raise WrongMediaType("Send the body as application/json.")


def _sent() -> Format:
    found = media_types.of(request.headers.get("Content-Type", ""))
    refuse_compressed()
    return found


def refuse_compressed() -> None:
    """Return when the body is not compressed.

    Raises:
        WrongMediaType: it is.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise WrongMediaType("Send the body without Content-Encoding: compressed bodies are not read here.")


def parameters() -> list[tuple[str, str]]:
    """The parameters of the URL, in order, without those about the form of the answer."""
    return [(name, value) for name, value in request.args.items(multi=True) if name not in GENERAL]


def refuse_parameters() -> None:
    """Return when the URL has no parameters beside those about the form of the answer.

    A write that names its resource is not conditional by a search: its sender would believe that the search holds.

    Raises:
        Unsupported: it has others.
    """
    if parameters():
        raise Unsupported(
            "This write takes no parameters but `_format` and `_pretty`. Conditions are headers (If-Match, "
            "If-None-Match, If-None-Exist), or a search in the place of the id: [type]?name=value."
        )
