"""Addresses, secrets and authorities that a courier refuses to begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin.courier import Courier
from fhirtwin.errors import Incorrect
from tests.ckks.builders import KEY


@pytest.mark.parametrize(
    "url",
    [
        "",
        "unix:relative",
        "http://engine.example.org:9000",
        "http://127.0.0.1",
        "https://127.0.0.1",
        "https://user@127.0.0.1:9000",
        "https://127.0.0.1:9000/path",
        "https://127.0.0.1:9000?x",
        "https://127.0.0.1:99999",
        "https://[::1",
        "ftp://127.0.0.1:21",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_are_none_or_unprotected_are_refused(url: str) -> None:
    with pytest.raises(Incorrect, match="engine's address"):
        Courier(url, KEY, timeout=1)


def test_a_short_secret_and_a_missing_authority_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="at least 32 bytes"):
        Courier("unix:/engine.sock", KEY[:31], timeout=1)
    with pytest.raises(Incorrect, match="does not hold a certificate authority"):
        Courier("https://127.0.0.1:9000", KEY, timeout=1, ca_file=str(tmp_path / "none.pem"))
