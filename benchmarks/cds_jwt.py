"""What it costs to judge the token of a CDS Hooks call, beside the bare check of its signature, in one run.

CPU time of this process for each token, median of rounds that take turns; wall time beside it, since the disk is waited
for. Every token is a new one: a used one is refused.

    .venv/bin/python -m benchmarks.cds_jwt

Exits 1 when the bar is missed.
"""

from __future__ import annotations

import base64
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from fhirtwin.api.cds.trust.key_cache import KeyCache
from fhirtwin.api.cds.trust.trust_file import TrustFile
from fhirtwin.api.cds.trust.verifier import Verifier
from fhirtwin.settings import Settings
from fhirtwin.store.spent_tokens import SpentTokens

ENDPOINT = "https://twin.example.org/cds-services/twin-patient-view"
ROUNDS, TOKENS = 15, 60
BAR = 0.4
"""CPU milliseconds that judging may cost beside the signature."""


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def bytes_of(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Signer:
    """One kind of key: signs tokens, and checks a signature as barely as can be."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.ec = ec.generate_private_key(ec.SECP384R1())
        self.rsa = rsa.generate_private_key(65537, 2048)

    def jwk(self) -> dict[str, str]:
        if self.algorithm == "ES384":
            point = self.ec.public_key().public_numbers()
            x, y = (b64(value.to_bytes(48, "big")) for value in (point.x, point.y))
            return {"kty": "EC", "crv": "P-384", "kid": "ES384", "x": x, "y": y}
        numbers = self.rsa.public_key().public_numbers()
        return {"kty": "RSA", "kid": "RS384", "n": number(numbers.n), "e": number(numbers.e)}

    def token(self) -> str:
        now = int(time.time())
        head = {"alg": self.algorithm, "typ": "JWT", "kid": self.algorithm, "jku": "https://ehr.example.org/jwks.json"}
        claims = {"iss": "https://ehr.example.org", "aud": ENDPOINT, "exp": now + 300, "iat": now}
        claims |= {"jti": secrets.token_hex(32)}
        data = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
        if self.algorithm == "RS384":
            return f"{data}.{b64(self.rsa.sign(data.encode(), padding.PKCS1v15(), hashes.SHA384()))}"
        r, s = decode_dss_signature(self.ec.sign(data.encode(), ec.ECDSA(hashes.SHA384())))
        return f"{data}.{b64(r.to_bytes(48, 'big') + s.to_bytes(48, 'big'))}"

    def bare(self, token: str) -> None:
        data, _, end = token.rpartition(".")
        signature = bytes_of(end)
        if self.algorithm == "RS384":
            self.rsa.public_key().verify(signature, data.encode(), padding.PKCS1v15(), hashes.SHA384())
            return
        r, s = (int.from_bytes(half, "big") for half in (signature[:48], signature[48:]))
        self.ec.public_key().verify(encode_dss_signature(r, s), data.encode(), ec.ECDSA(hashes.SHA384()))


def cost(check: Callable[[str], object], tokens: list[str]) -> tuple[float, float]:
    """CPU and wall milliseconds a token."""
    cpu, wall = time.process_time(), time.perf_counter()
    for token in tokens:
        check(token)
    return (time.process_time() - cpu) * 1000 / len(tokens), (time.perf_counter() - wall) * 1000 / len(tokens)


def main() -> int:
    """Measure, print the table, and say by the exit code whether the bar was met."""
    with tempfile.TemporaryDirectory() as name:
        signers = [Signer("ES384"), Signer("RS384")]
        folder = Path(name)
        (folder / "trust.json").write_text(
            json.dumps(
                {
                    "clients": [
                        {
                            "name": "ehr",
                            "iss": "https://ehr.example.org",
                            "jku": ["https://ehr.example.org/jwks.json"],
                            "jwks": {"keys": [signer.jwk() for signer in signers]},
                        }
                    ]
                }
            )
        )
        (folder / "trust.json").chmod(0o600)
        spent = SpentTokens.open(Settings(data=folder))
        cache = KeyCache(lambda *_: (_ for _ in ()).throw(AssertionError))
        verifier = Verifier(TrustFile(folder / "trust.json"), cache, spent.spend, longest=300)
        print(f"{ROUNDS} rounds of {TOKENS} tokens; median of rounds, milliseconds a token\n")
        print(f"| {'':6} | bare, CPU | judged, CPU | more, CPU | judged, wall |")
        print("|---|---|---|---|---|")
        met = True
        for signer in signers:
            bare, judged, wall = [], [], []
            for _ in range(ROUNDS):
                tokens = [signer.token() for _ in range(TOKENS)]
                bare.append(cost(signer.bare, tokens)[0])
                cpu, passed = cost(lambda token: verifier.verify(token, ENDPOINT), tokens)
                judged.append(cpu)
                wall.append(passed)
            more = statistics.median(mine - theirs for mine, theirs in zip(judged, bare, strict=True))
            met &= more <= BAR
            print(
                f"| {signer.algorithm:6} | {statistics.median(bare):.3f} | {statistics.median(judged):.3f} "
                f"| {more:.3f} | {statistics.median(wall):.2f} |"
            )
        spent.close()
        print(f"\nbar: {BAR} more; {'met' if met else 'MISSED'}")
        return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
