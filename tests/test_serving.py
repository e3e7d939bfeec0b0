"""Where a gateway may listen, and what it hands to the processes it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.serving import check_address, is_loopback
from fhirtwin.settings import Settings

CERT, KEY = Path("cert.pem"), Path("key.pem")
BASE = "https://twin.example.org/fhir"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_open_is_allowed_on_loopback(host: str) -> None:
    check_address(Settings(open=True), host, None, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])  # noqa: S104
def test_open_is_refused_elsewhere_even_with_tls(host: str) -> None:
    with pytest.raises(Incorrect, match="--open lets anybody in"):
        check_address(Settings(open=True, base_url=BASE), host, CERT, KEY)


def test_other_addresses_need_tls_or_a_proxy() -> None:
    with pytest.raises(Incorrect, match="not a loopback address"):
        check_address(Settings(base_url=BASE), "192.0.2.7", None, None)
    check_address(Settings(base_url=BASE), "192.0.2.7", CERT, KEY)
    check_address(Settings(base_url=BASE, behind_proxy=True), "192.0.2.7", None, None)


def test_other_addresses_need_the_base_that_callers_see() -> None:
    with pytest.raises(Incorrect, match="FHIRTWIN_BASE_URL"):
        check_address(Settings(), "192.0.2.7", CERT, KEY)


def test_half_a_certificate_is_refused() -> None:
    with pytest.raises(Incorrect, match="go together"):
        check_address(Settings(), "127.0.0.1", CERT, None)


def test_tls_and_proxy_exclude_each_other() -> None:
    with pytest.raises(Incorrect, match="not both"):
        check_address(Settings(behind_proxy=True), "127.0.0.1", CERT, KEY)


def test_unknown_name_is_refused() -> None:
    with pytest.raises(Incorrect, match="not an address"):
        is_loopback("no-such-host.invalid")
