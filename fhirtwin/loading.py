"""A caller of a running gateway, from the command line: what `fhirtwin load` and `fhirtwin assess` use."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect, Unavailable

FHIR_JSON = "application/fhir+json"

_LONG_SECONDS = 900
"""How long a file of a whole genome may take."""

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_PATIENT = re.compile(r"(?:^|/)(Patient/[A-Za-z0-9\-.]{1,64})/_history/")


class Gateway:
    """A FHIR base, the token for it, and the authority that its certificate is checked with (empty: the system's).

    Attributes:
        patients: `Patient/id` of each Patient that `load` stored, in order.
    """

    def __init__(self, base_url: str, token: str = "", ca_file: str = "") -> None:
        self.base_url = base_url.rstrip("/")
        self.patients: list[str] = []
        self.http = requests.Session()
        self.http.trust_env = False  # neither a proxy nor ~/.netrc has a say in where patients go
        self.http.verify = ca_file or True
        self.http.headers["Accept"] = FHIR_JSON
        if token:
            self.http.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def of(cls, data: Path, server: str = "", ca_file: str = "", token: str = "") -> Gateway:
        """The gateway at `server`, or the one that runs on the folder `data`.

        The token, when none is given, is taken from that folder.

        Raises:
            Incorrect: no gateway runs on `data` and none was named, or the token would travel unprotected.
        """
        if not server:
            try:
                server = str(json.loads((data / "running.json").read_text())["base_url"])
            except (FileNotFoundError, ValueError, KeyError, TypeError):  # none, or one half written
                raise Incorrect(
                    f"No gateway runs on {data}. "
                    f"Start one with `fhirtwin serve --data {data}`, or name it with --server."
                ) from None
        if not token and (data / "token").exists():
            token = keyfile.read(data / "token")
        url = urlsplit(server)
        if token and url.scheme != "https" and url.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise Incorrect(f"{server} is not https, and the token would be readable on the way there.")
        return cls(server, token, ca_file)

    @property
    def host(self) -> str:
        """Scheme and authority: what `/cds-services` and `/health` are relative to."""
        return self.base_url.removesuffix("/fhir")

    def call(
        self, method: str, path: str, *, base: str | None = None, wait: float = 120, **options: Any
    ) -> requests.Response:
        """One request, relative to the FHIR base unless `base` says otherwise; redirects are not followed.

        It may take `wait` seconds to answer.
        """
        url = (self.base_url if base is None else base) + path
        try:
            return self.http.request(method, url, timeout=(5, wait), allow_redirects=False, **options)
        except requests.exceptions.SSLError:
            raise Unavailable(
                f"The certificate of {self.base_url} is not trusted; name its authority with --ca-file."
            ) from None
        except OSError as error:  # of which requests' errors are some
            raise Unavailable(
                f"{self.base_url} does not answer ({type(error).__name__}); is the gateway running?"
            ) from None

    def load(self, file: Path, done: Callable[[float], object] = lambda share: None) -> Iterator[str]:
        """Post every resource of `file`; yields what went wrong, in words.

        Args:
            file: JSON or NDJSON, `.gz` too.
            done: told the share of the file, 0 to 1, that each resource was of it.
        """
        try:
            data = file.read_bytes()
            if file.suffix == ".gz":
                data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            yield f"cannot be read ({type(error).__name__})"
            return
        ndjson = ".ndjson" in file.suffixes
        if not ndjson and not data.strip():
            yield "is empty"
        for number, line in enumerate(data.splitlines() if ndjson else [data], 1):
            if line.strip():
                problem = self._post(line)
                if problem:
                    yield f"line {number}: {problem}" if ndjson else problem
            done(len(line) / max(len(data), 1))

    def import_vcf(self, file: Path, patient: str, said: Mapping[str, str]) -> list[str]:
        """Import a VCF file for a patient; gives a line for each gene: what was called, or why nothing was.

        Args:
            file: plain or gzipped.
            patient: ID or Patient/ID.
            said: parameters of `$import-vcf`, by name; those without a word are left out.

        Raises:
            Incorrect: `patient` is no id, the file cannot be read, or the gateway refused.
        """
        id_ = patient.removeprefix("Patient/")
        if not _is_id(id_):
            raise Incorrect("--patient must be the id of a Patient, or Patient/ID.")
        given = {name: value for name, value in said.items() if value}
        try:
            with file.open("rb") as content:
                answer = self.call(
                    "POST",
                    f"/Patient/{id_}/$import-vcf",
                    params=given,
                    data=content,
                    headers={"Content-Type": "text/vcf"},
                    wait=_LONG_SECONDS,
                )
        except FileNotFoundError:
            raise Incorrect(f"{file} cannot be read.") from None
        if not answer.ok:
            raise Incorrect(f"{answer.status_code}: {outcome(answer)}")
        try:
            return _genes(answer.json())
        except (ValueError, KeyError, TypeError):
            raise Incorrect(f"{self.base_url} answers, but not as a FHIR server does.") from None

    def _post(self, data: bytes) -> str:
        try:
            resource = json.loads(data)
        except (ValueError, RecursionError):
            return "is not JSON that can be read"
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str) or not kind.isalpha():
            return "has no resourceType"
        if kind == "Bundle":
            if resource.get("type") not in ("transaction", "batch"):
                # Stored as it is, it would be one resource, and what is in it would be nobody's record.
                return "is a Bundle that is no transaction; send one, or its resources one by one or as NDJSON"
            method, path = "POST", "/"
        elif isinstance(resource.get("id"), str) and _is_id(resource["id"]):
            method, path = "PUT", f"/{kind}/{resource['id']}"
        else:
            method, path = "POST", f"/{kind}"
        answer = self.call(method, path, data=data, headers={"Content-Type": FHIR_JSON, "Prefer": "return=minimal"})
        if not answer.ok:
            return outcome(answer)
        self.patients += stored_patients(answer)
        return ""

    def assess(self, patient: str, day: str, predictors: tuple[str, ...], *, store: bool) -> str:
        """The Bundle that `$assess` gives, as indented JSON.

        Raises:
            Incorrect: `patient` is neither an id nor `Patient/id`; or the gateway refused, and the text is its
                OperationOutcome's.
        """
        id_ = patient.removeprefix("Patient/")
        if not _is_id(id_):
            raise Incorrect("PATIENT must be the id of a Patient, or Patient/ID.")
        parameters = [("predictor", name) for name in predictors] + ([("date", day)] if day else [])
        if store:
            parameters.append(("store", "true"))
        answer = self.call("POST" if store else "GET", f"/Patient/{id_}/$assess", params=parameters)
        if not answer.ok:
            raise Incorrect(f"{answer.status_code}: {outcome(answer)}")
        try:
            return json.dumps(answer.json(), indent=2, ensure_ascii=False)
        except ValueError:
            raise Incorrect(f"{self.base_url} answers, but not as a FHIR server does.") from None


def refuse_unclear(files: tuple[Path, ...], patient: str) -> None:
    """Return when it is one VCF file alone, and of somebody.

    Raises:
        Incorrect: it is not.
    """
    if len(files) > 1:
        raise Incorrect("A VCF file is loaded alone: one file, one patient.")
    if not patient:
        raise Incorrect("Say whose genome the VCF file is: --patient ID.")


def _genes(parameters: Mapping[str, Any]) -> list[str]:
    lines = []
    for one in parameters["parameter"]:
        if one["name"] == "gene":
            told = {part["name"]: part.get("valueString", "") for part in reversed(one["part"])}
            lines.append(told.get("genotype") or f"{told['symbol']}: {told['not-called']}")
    return lines


def stored_patients(answer: requests.Response) -> list[str]:
    """`Patient/id` of each Patient that the answer to a write names, in its header or in its entries."""
    locations = [answer.headers.get("Location", "")]
    try:
        bundle = answer.json() if answer.content else {}
        locations += [entry["response"].get("location", "") for entry in bundle.get("entry", ())]
    except (ValueError, KeyError, AttributeError, TypeError):
        pass  # no transaction-response: its header says all
    return [found[1] for location in locations if (found := _PATIENT.search(location))]


def _is_id(text: str) -> bool:
    """Whether it can stand in a path: two dots there would lead elsewhere."""
    return _ID.fullmatch(text) is not None and text not in (".", "..")


def outcome(answer: requests.Response) -> str:
    """The issues of an OperationOutcome, in a line."""
    try:
        issues = answer.json()["issue"]
        return "; ".join(
            " ".join([*issue.get("expression", ()), issue.get("diagnostics") or issue["details"]["text"]])
            for issue in issues
        )
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
