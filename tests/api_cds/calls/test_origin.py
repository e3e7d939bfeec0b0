from __future__ import annotations

import pytest

from fhirtwin.api.cds.calls.origin import normalised, origin
from fhirtwin.errors import Incorrect
from fhirtwin.settings import Settings
from fhirtwin.twin.state import LOCAL

SIGNED_IN = Settings(base_url="https://twin.example/fhir")


@pytest.mark.parametrize(
    "spelling",
    [
        "https://ehr.example/fhir",
        "https://EHR.example/fhir/",
        "HTTPS://ehr.example:443/fhir",
        "https://ehr.example/fhir//",
    ],
)
def test_one_server_has_one_spelling(spelling: str) -> None:
    assert origin(spelling, SIGNED_IN) == "https://ehr.example/fhir"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://ehr.example/fhir", "https://ehr.example/FHIR"),
        ("https://ehr.example/fhir", "https://ehr.example:8443/fhir"),
        ("https://ehr.example/fhir", "https://ehr.example.org/fhir"),
        ("https://ehr.example/fhir", "https://ehr.example/fhir2"),
    ],
)
def test_different_servers_stay_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_no_server_and_our_own_are_here() -> None:
    assert origin(None, SIGNED_IN) == LOCAL
    assert origin("https://TWIN.example:443/fhir/", SIGNED_IN) == LOCAL
    assert origin("https://twin.example/fhir2", SIGNED_IN) != LOCAL


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "ehr.example/fhir",
        "ftp://ehr.example/fhir",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@ehr.example/fhir",
        "https://ehr.example/fhir?x=1",
        "https://ehr.example/fhir#x",
        "https://ehr.example:port/fhir",
        "https://ehr.example:99999/fhir",
        "https://ehr.example/fh ir",
        "https://ehr.example\\@evil.example/fhir",
        "https://ehr.example/fhir\n",
        "https://éhr.example/fhir",
        "https://[::1/fhir",
    ],
)
def test_what_is_no_base_url_is_refused_and_not_repeated(wrong: str) -> None:
    with pytest.raises(Incorrect) as caught:
        origin(wrong, SIGNED_IN)
    assert caught.value.issues[0].expression == ("fhirServer",)
    assert "secret" not in str(caught.value)


def test_http_is_for_this_machine_or_an_open_server_only() -> None:
    with pytest.raises(Incorrect):
        origin("http://ehr.example/fhir", SIGNED_IN)
    assert origin("http://ehr.example/fhir", Settings(open=True)) == "http://ehr.example/fhir"
    for host in ("127.0.0.1:8931", "localhost", "[::1]:80"):
        assert origin(f"http://{host}/fhir", SIGNED_IN).startswith("http://")
    with pytest.raises(Incorrect):
        origin("http://127.0.0.1.evil.example/fhir", SIGNED_IN)
