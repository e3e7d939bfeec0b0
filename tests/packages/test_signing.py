"""Whom models are taken from."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect
from fhirtwin.packages import signing
from tests.packages.builders import KEY, OTHER_KEY

PUBLIC, OTHER = signing.public_hex(KEY), signing.public_hex(OTHER_KEY)


def test_a_key_is_a_secret_file_and_its_public_half_verifies(tmp_path: Path) -> None:
    keyfile.make(tmp_path / "author.key")
    key = signing.private_key(tmp_path / "author.key")
    signature = signing.sign(key, b"{}")
    signing.verify(signing.public_hex(key), b"{}", signature)
    for public, manifest, given in (
        (PUBLIC, b"{}", signature),
        (signing.public_hex(key), b"{} ", signature),
        (signing.public_hex(key), b"{}", signature[:-3]),
        (signing.public_hex(key), b"{}", b"z" * 128),
        (signing.public_hex(key), b"{}", b"\xff" * 128),
        ("00" * 32, b"{}", b"00" * 64),
    ):
        with pytest.raises(Incorrect, match=r"manifest\.sig"):
            signing.verify(public, manifest, given)
    (tmp_path / "author.key").chmod(0o644)
    with pytest.raises(Incorrect, match="can be read by others"):
        signing.private_key(tmp_path / "author.key")


def test_trust_is_added_once_and_a_name_stands_for_one_key(tmp_path: Path) -> None:
    path = tmp_path / "authors.json"
    assert signing.read_authors(path) == {}
    signing.trust(path, "one", PUBLIC)
    signing.trust(path, "one", PUBLIC)
    signing.trust(path, "two", OTHER)
    assert signing.read_authors(path) == {PUBLIC: "one", OTHER: "two"} and path.stat().st_mode & 0o777 == 0o600
    for name, key in (("one", "cd" * 32), ("three", PUBLIC)):
        with pytest.raises(Incorrect, match="another author of that name or key"):
            signing.trust(path, name, key)
    for name, key in (("three", "CD" * 32), ("three", "cd"), ("", "cd" * 32), ("a\nb", "cd" * 32)):
        with pytest.raises(Incorrect):
            signing.trust(path, name, key)
    assert signing.read_authors(path) == {PUBLIC: "one", OTHER: "two"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"authors": [{"name": "a"}]}',
        '{"authors": [], "authors": []}',
        '{"authors": [], "all": true}',
        f'{{"authors": [{{"name": "a", "key": "{PUBLIC}"}}, {{"name": "a", "key": "{OTHER}"}}]}}',
        f'{{"authors": [{{"name": "a", "key": "{PUBLIC}"}}, {{"name": "b", "key": "{PUBLIC}"}}]}}',
    ],
)
def test_a_list_that_is_not_clear_trusts_nobody(tmp_path: Path, text: str) -> None:
    path = tmp_path / "authors.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Incorrect, match=r"authors\.json"):
        signing.read_authors(path)


def test_a_list_that_others_can_write_or_that_is_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "authors.json"
    signing.trust(path, "one", PUBLIC)
    path.chmod(0o622)
    with pytest.raises(Incorrect, match="can be written by others"):
        signing.read_authors(path)
    path.chmod(0o600)
    (tmp_path / "link.json").symlink_to(path)
    with pytest.raises(Incorrect, match="cannot be read as a file"):
        signing.read_authors(tmp_path / "link.json")
