"""Real servers on this machine for what leaves the gateway, and a network that writes down where anybody goes."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Network:
    """Names, and what was asked of it. Nothing is connected but what `wire` says, wherever it was meant to go."""

    names: dict[str, list[str]] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    wire: tuple[str, int] | None = None

    def resolve(self, host: str, _port: int, _seconds: float) -> list[str]:
        self.looked_up.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append((address, port))
        if self.wire is None:
            raise ConnectionRefusedError
        return socket.create_connection(self.wire, timeout=seconds)


@dataclass
class Listener:
    """A server: its port, and the requests that it had, each with its headers."""

    port: int
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def raw(answer: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """A server that reads a request's head and then does with the connection what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listener = Listener(listening.getsockname()[1])

        def one(sock: socket.socket) -> None:
            try:
                with tls.wrap_socket(sock, server_side=True) if tls else sock as peer:
                    peer.settimeout(10)
                    head = b""
                    while b"\r\n\r\n" not in head and (more := peer.recv(4096)):
                        head += more
                    listener.requests.append(head)
                    answer(peer)
            except OSError:
                pass

        def serve() -> None:
            while True:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(sock,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener
        listening.shutdown(socket.SHUT_RDWR)


def says(*parts: bytes, pause: float = 0) -> Callable[[socket.socket], None]:
    """Send these bytes, with a pause between them."""

    def answer(peer: socket.socket) -> None:
        for number, part in enumerate(parts):
            if pause and number:
                threading.Event().wait(pause)
            peer.sendall(part)

    return answer


def ok(body: bytes, *headers: str) -> Callable[[socket.socket], None]:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Content-Type: application/fhir+json; charset=utf-8"]
    return says("\r\n".join([*lines, *headers, "", ""]).encode() + body)


@cache
def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    return key, _certificate(name, name, key.public_key(), key, authority_=True)


def tls_server(folder: Path, *names: str) -> tuple[ssl.SSLContext, str]:
    """A server's context for these names, and the file of the authority that certified it."""
    issuer_key, issuer = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    certificate = _certificate(subject, issuer.subject, key.public_key(), issuer_key, names=names)
    chain, authorities = folder / "server.pem", folder / "authority.pem"
    chain.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    authorities.write_bytes(issuer.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, str(authorities)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    names: tuple[str, ...] = (),
    authority_: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority_, path_length=None), critical=True)
    )
    if names:
        shown = [
            x509.DNSName(name) if any(map(str.isalpha, name)) else x509.IPAddress(ip_address(name)) for name in names
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(shown), critical=False)
    return builder.sign(signer, hashes.SHA256())


__all__ = ["Listener", "Network", "ok", "raw", "says", "tls_server"]
