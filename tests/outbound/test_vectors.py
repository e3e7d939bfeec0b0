"""Addresses that were made to get round a list: none is connected to, and none but names on the list is looked up."""

from __future__ import annotations

import time

import pytest

from fhirtwin.errors import OutboundRefused
from fhirtwin.outbound import Allowed, Outbound
from tests.outbound.servers import Network

EHR = "https://ehr.example.org/fhir"

OFF_THE_LIST = [
    # another scheme, or none
    "http://ehr.example.org/fhir/Patient",
    "ftp://ehr.example.org/fhir/Patient",
    "file:///etc/passwd",
    "gopher://ehr.example.org/fhir/_x",
    "dict://127.0.0.1:6379/info",
    "ldap://ehr.example.org/fhir",
    "jar:https://ehr.example.org/fhir!/x",
    "unix:///var/run/docker.sock",
    "data:application/json,{}",
    "javascript:alert(1)",
    "//ehr.example.org/fhir/Patient",
    "ehr.example.org/fhir/Patient",
    "/fhir/Patient",
    "",
    "https:",
    "https://",
    "https:///fhir/Patient",
    "https:/ehr.example.org/fhir/Patient",
    "https:ehr.example.org/fhir/Patient",
    "https:\\\\ehr.example.org\\fhir",
    "view-source:https://ehr.example.org/fhir",
    # a user, or what some take for one
    "https://ehr.example.org@evil.example/fhir",
    "https://ehr.example.org:443@evil.example/fhir",
    "https://ehr.example.org%40evil.example/fhir",
    "https://evil.example@ehr.example.org/fhir/Patient",
    "https://:@ehr.example.org/fhir/Patient",
    "https://@ehr.example.org/fhir/Patient",
    "https://user:pass@ehr.example.org/fhir/Patient",
    "https://evil.example\\@ehr.example.org/fhir",
    "https://evil.example#@ehr.example.org/fhir",
    "https://evil.example?@ehr.example.org/fhir",
    "https://evil.example;@ehr.example.org/fhir",
    "https://ehr.example.org@@evil.example/fhir",
    # a name that begins, ends or looks like the one
    "https://ehr.example.org.evil.example/fhir",
    "https://evil-ehr.example.org/fhir/Patient",
    "https://ehr.example.orgevil.example/fhir",
    "https://xehr.example.org/fhir/Patient",
    "https://example.org/fhir/Patient",
    "https://ehr.example.org./fhir/Patient",
    "https://ehr.example.org../fhir/Patient",
    "https://.ehr.example.org/fhir/Patient",
    "https://ehr..example.org/fhir/Patient",
    "https://ehr%2eexample%2eorg/fhir/Patient",
    "https://ehr.example.org%00.evil.example/fhir",
    "https://ehr.example.org\x00.evil.example/fhir",
    "https://ehr.example.org%0d%0a.evil.example/fhir",
    "https://ehr。example。org/fhir/Patient",
    "https://ehr．example.org/fhir/Patient",
    "https://ehr.exampl\u0435.org/fhir/Patient",
    "https://\u24d4hr.example.org/fhir/Patient",
    "https://ehr.example.or\u212a/fhir/Patient",
    "https://ehr\u00ad.example.org/fhir/Patient",
    "https://ehr.example.org\u2044fhir@evil.example",
    "https://ehr.example.org\uff03@evil.example/fhir",
    "https://xn--hr-bja.example.org/fhir/Patient",
    "https://*.example.org/fhir/Patient",
    "https://[ehr.example.org]/fhir/Patient",
    "https://ehr.example.org\\.evil.example/fhir",
    "https://ehr.example.org evil.example/fhir",
    "https://evil.example ehr.example.org/fhir",
    " https://ehr.example.org/fhir/Patient",
    "https://ehr.example.org/fhir/Patient ",
    "\thttps://ehr.example.org/fhir/Patient",
    "ht\ntps://ehr.example.org/fhir/Patient",
    "https://ehr.exa\tmple.org/fhir/Patient",
    "https://ehr.example.org\r\nHost: evil.example/fhir",
    # another port
    "https://ehr.example.org:8443/fhir/Patient",
    "https://ehr.example.org:80/fhir/Patient",
    "https://ehr.example.org:0/fhir/Patient",
    "https://ehr.example.org:65979/fhir/Patient",
    "https://ehr.example.org:-443/fhir/Patient",
    "https://ehr.example.org:443:443/fhir/Patient",
    "https://ehr.example.org:/fhir/Patient",
    "https://ehr.example.org:4\u06643/fhir/Patient",
    "https://ehr.example.org:443x/fhir/Patient",
    "https://ehr.example.org: 443/fhir/Patient",
    # another path, or a way out of this one
    "https://ehr.example.org",
    "https://ehr.example.org/",
    "https://ehr.example.org/admin",
    "https://ehr.example.org/fhirx/Patient",
    "https://ehr.example.org/fhir-internal",
    "https://ehr.example.org/FHIR/Patient",
    "https://ehr.example.org/fhir/../admin",
    "https://ehr.example.org/fhir/./../admin",
    "https://ehr.example.org/fhir/%2e%2e/admin",
    "https://ehr.example.org/fhir/.%2E/admin",
    "https://ehr.example.org/fhir/..%2fadmin",
    "https://ehr.example.org/fhir/..%5cadmin",
    "https://ehr.example.org/fhir/%252e%252e/admin",
    "https://ehr.example.org/fhir\\..\\admin",
    "https://ehr.example.org/x/../fhir/Patient",
    "https://ehr.example.org//fhir/Patient",
    "https://ehr.example.org/fhir//evil.example",
    "https://ehr.example.org/fhir/..",
    "https://ehr.example.org/%66hir/Patient",
    "https://ehr.example.org/fhir%2fPatient",
    "https://ehr.example.org/fhir;/../admin",
    "https://ehr.example.org/fhir/Patient%0d%0aHost:%20evil.example",
    "https://ehr.example.org/fhir/Patient%00",
    "https://ehr.example.org/fhir/Patient%zz",
    "https://ehr.example.org/fhir/Patient#fragment",
    "https://ehr.example.org/fhir/Patient HTTP/1.1\r\nX: y",
    "https://ehr.example.org/fhir/Patient?a=b\r\nX: y",
    "https://ehr.example.org?/fhir/Patient",
    "https://ehr.example.org/fhir/" + "a" * 20_000,
    # this machine, private networks, and what clouds keep
    "https://localhost/fhir",
    "https://localhost.localdomain/fhir",
    "https://LOCALHOST/fhir",
    "https://127.0.0.1/fhir",
    "http://127.0.0.1:8000/fhir",
    "https://127.1/fhir",
    "https://127.000.000.001/fhir",
    "https://0177.0.0.1/fhir",
    "https://0x7f.0.0.1/fhir",
    "https://0x7f000001/fhir",
    "https://2130706433/fhir",
    "https://017700000001/fhir",
    "https://0/fhir",
    "https://0.0.0.0/fhir",
    "https://[::]/fhir",
    "https://[::1]/fhir",
    "https://[0:0:0:0:0:0:0:1]/fhir",
    "https://[::ffff:127.0.0.1]/fhir",
    "https://[::ffff:7f00:1]/fhir",
    "https://[::127.0.0.1]/fhir",
    "https://[64:ff9b::7f00:1]/fhir",
    "https://[2002:7f00:1::]/fhir",
    "https://[fe80::1%25eth0]/fhir",
    "https://[fe80::1%eth0]/fhir",
    "https://10.0.0.1/fhir",
    "https://192.168.1.1/fhir",
    "https://172.16.0.1/fhir",
    "https://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "https://2852039166/latest/meta-data/",
    "https://0xA9FEA9FE/latest/meta-data/",
    "https://[::ffff:169.254.169.254]/latest/meta-data/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://169.254.169.254.nip.io/fhir",
    "https://127.0.0.1.nip.io/fhir",
    "https://①②⑦.⓪.⓪.①/fhir",
]

LEADS_ASTRAY = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.1.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:4700::1%eth0",
    "not an address",
    "",
]

NEVER = [
    "127.0.0.1",
    "::1",
    "0.0.0.0",  # noqa: S104
    "169.254.169.254",
    "169.254.10.10",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd00:ec2::23",
    "fd00:42::42",
    "fe80::1",
    "224.0.0.1",
    "255.255.255.255",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "fd12::1%eth0",
]


def outbound(network: Network, *allowed: str | Allowed, open_: bool = False) -> Outbound:
    return Outbound(
        allowed or (EHR,),
        connect_timeout=1,
        read_timeout=1,
        max_bytes=1000,
        open_=open_,
        resolve=network.resolve,
        connect=network.connect,
    )


def refused(way: Outbound, url: str) -> str:
    with pytest.raises(OutboundRefused) as caught:
        way.get(url, headers={"Authorization": "Bearer secret"}, deadline=time.monotonic() + 1)
    return str(caught.value)


def test_there_are_enough_vectors() -> None:
    assert len(set(OFF_THE_LIST)) == len(OFF_THE_LIST) >= 140
    assert len(set(LEADS_ASTRAY)) == len(LEADS_ASTRAY) >= 55


@pytest.mark.parametrize("url", OFF_THE_LIST, ids=ascii)
def test_what_is_not_on_the_list_is_neither_looked_up_nor_connected_to(url: str) -> None:
    network = Network({"ehr.example.org": ["8.8.8.8"]})
    way = outbound(network)
    text = refused(way, url)
    assert not way.allows(url)
    assert network == Network(network.names)
    assert "evil" not in text and "Patient" not in text


@pytest.mark.parametrize("address", LEADS_ASTRAY)
@pytest.mark.parametrize("place", range(3))
def test_a_listed_name_that_leads_inside_is_not_connected_to_even_if_other_answers_are_good(
    address: str, place: int
) -> None:
    found = ["8.8.8.8", "2606:4700::1111"]
    found.insert(place, address)
    network = Network({"ehr.example.org": found})
    assert address not in refused(outbound(network), f"{EHR}/Patient/1") or not address
    assert network.looked_up == ["ehr.example.org"]
    assert network.connected == []


@pytest.mark.parametrize("address", NEVER)
def test_what_a_private_network_is_allowed_for_still_never_leads_to_this_machine_or_a_clouds_secrets(
    address: str,
) -> None:
    network = Network({"ehr.example.org": [address]})
    refused(outbound(network, Allowed(EHR, private=True)), f"{EHR}/Patient/1")
    assert network.connected == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[fe80::1]", "224.0.0.1"])
@pytest.mark.parametrize("private", [False, True])
def test_not_even_an_entry_of_the_list_can_name_what_is_never_called(host: str, private: bool) -> None:
    network = Network()
    refused(outbound(network, Allowed(f"https://{host}/fhir", private=private)), f"https://{host}/fhir/Patient")
    assert network.connected == []


def test_a_name_that_answers_differently_the_second_time_is_not_asked_a_second_time() -> None:
    network = Network({"ehr.example.org": ["8.8.8.8"]})

    def first_outside_then_inside(host: str, port: int, seconds: float) -> list[str]:
        found = network.resolve(host, port, seconds)
        network.names["ehr.example.org"] = ["127.0.0.1"]
        return found

    way = outbound(network)
    way._resolve = first_outside_then_inside  # type: ignore[method-assign]
    with pytest.raises(Exception, match="cannot be reached"):
        way.get(f"{EHR}/Patient/1", deadline=time.monotonic() + 1)
    assert network.looked_up == ["ehr.example.org"]
    assert network.connected == [("8.8.8.8", 443)]


@pytest.mark.parametrize(
    "header", ["Host", "host", "Connection", "Content-Length", "Transfer-Encoding", "Accept-Encoding", "User-Agent"]
)
def test_a_header_that_would_change_the_meaning_of_a_request_is_refused(header: str) -> None:
    network = Network({"ehr.example.org": ["8.8.8.8"]})
    with pytest.raises(OutboundRefused):
        outbound(network).get(f"{EHR}/x", headers={header: "evil.example"}, deadline=time.monotonic() + 1)
    assert network.looked_up == []
