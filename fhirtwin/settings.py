"""What can be set, read once from the environment (`FHIRTWIN_*`) and passed on as an argument.

Nothing else reads the environment. There is no default for a secret: those are made on first start, in the data
folder, with mode 0600 (see `fhirtwin.keyfile`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from fhirtwin.errors import Incorrect


def _setting(
    default: Any,
    says: str,
    *,
    choices: tuple[Any, ...] = (),
    low: float | None = None,
    high: float | None = None,
    shown: bool = True,
) -> Any:
    return field(default=default, repr=shown, metadata={"says": says, "choices": choices, "low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting, with its default. `docs/settings.md` has a line for each; a test sees to it."""

    data: Path = _setting(Path("data"), "Folder of the database, the token and the keys; made with mode 0700.")
    database_url: str = _setting(
        "", "SQLAlchemy URL, SQLite or PostgreSQL; empty means `fhirtwin.sqlite` in the data folder.", shown=False
    )
    database_connections: int = _setting(
        10, "Most connections for reading that a gateway process opens; writing takes one more.", low=2
    )
    statement_timeout_seconds: float = _setting(5.0, "Longest that one statement may keep the database busy.", low=0.1)
    base_url: str = _setting(
        "", "FHIR base as callers see it, without a slash at the end; empty means http://HOST:PORT/fhir."
    )
    open: bool = _setting(False, "No sign-in. Refused on any address but loopback.")
    behind_proxy: bool = _setting(
        False, "A TLS-ending proxy stands in front; nothing that it adds to a request is believed."
    )
    workers: int = _setting(1, "Gateway processes.", low=1)

    trust_file: str = _setting(
        "",
        "File that says which EHRs may call CDS services; empty means `trust.json` in the data folder, if it is there.",
    )
    max_token_seconds: int = _setting(
        300, "Longest that an EHR's token may be in force, `iat` to `exp`.", low=1, high=3600
    )
    cors_origins: str = _setting(
        "", "Origins of web pages that may call, with commas between them; those in the trust file come to them."
    )
    outbound_ca_file: str = _setting(
        "", "Certificate authority that servers of EHRs are checked with, besides the system's."
    )

    engine_url: str = _setting(
        "", "Engine to use, `unix:/path` or `https://host:port`; empty starts one beside the gateway."
    )
    engine_key_file: str = _setting("", "File of the secret shared with the engine that signs messages both ways.")
    engine_timeout_seconds: float = _setting(2.0, "How long one answer of the engine may take.", low=0.05)
    engine_ca_file: str = _setting(
        "", "Certificate authority that the engine's certificate is checked with; empty means the system's."
    )
    engine_workers: int = _setting(1, "Engine processes, when the gateway starts the engine.", low=1)
    engine_memory_mb: int = _setting(1024, "Address space of one engine worker, in MiB.", low=256)
    engine_models: str = _setting(
        "", "Folder of published models that the engine serves, when the gateway starts it; empty means none."
    )
    sealing: str = _setting("masked", "How the linear panel is evaluated.", choices=("masked", "rotating"))
    circuit_keys: str = _setting(
        "memory",
        "Where a key of many requests (rotating mode, networks) lies: in memory alone, or kept in the data folder, "
        "sealed.",
        choices=("memory", "kept"),
    )
    circuit_keys_secret_file: str = _setting(
        "", "File of the passphrase that seals kept keys; empty means `circuit-keys.secret` in the data folder."
    )
    circuit_key_days: float = _setting(30.0, "Days after which such a key is replaced (project policy).", low=0.001)
    circuit_key_openings: int = _setting(
        10_000, "Answers that such a key may open before it is replaced (project policy).", low=1
    )
    golden_share: float = _setting(
        0.5,
        "Share of the calls to the engine that are golden cases, 0 to 0.5, of models whose answers have no probe.",
        low=0,
        high=0.5,
    )
    genes: str = _setting(
        "plain",
        "Who looks genes up in the tables: the gateway, or the engine, which does not see them.",
        choices=("plain", "sealed"),
    )

    models: str = _setting(
        "", "Folder of the public halves of published models; empty means `models` in the data folder, if it is there."
    )
    model_authors: str = _setting(
        "", "File of the authors whose models are asked; empty means `authors.json` in the data folder."
    )

    max_concurrent_requests: int = _setting(32, "Most requests that one gateway process takes in at once.", low=1)
    max_body_bytes: int = _setting(10_000_000, "Largest request body.", low=1)
    max_file_bytes: int = _setting(
        2_000_000_000,
        "Largest file that is the body of an operation (a VCF); it goes through a file without a name.",
        low=1,
    )
    max_bundle_entries: int = _setting(1000, "Most entries of a batch or transaction.", low=1)
    max_merge_resources: int = _setting(2000, "Most resources that one $merge moves from a Patient to another.", low=1)
    max_depth: int = _setting(64, "Deepest nesting of JSON and XML.", low=1)
    profile_claims: str = _setting(
        "check",
        "Whether a resource that claims a known profile in `meta.profile` must conform to it.",
        choices=("check", "ignore"),
    )
    unknown_extensions: str = _setting(
        "information",
        "How severe `$validate` finds an extension whose definition is not known; nothing is refused for it.",
        choices=("information", "warning", "error"),
    )
    max_feedback_items: int = _setting(1000, "Most items of one feedback to a CDS service.", low=1)
    cds_quiet_hours: float = _setting(
        24.0,
        "Hours for which a card that a user overrode is not shown to them again for the same patient and finding, "
        "unless it is critical or its data changed (project policy); 0 for never.",
        low=0,
    )
    cds_card_days: int = _setting(
        365, "Days after which a card that was given, and feedback on it, is forgotten; counts are kept.", low=1
    )
    default_count: int = _setting(50, "Search page size when the caller names none.", low=1)
    max_count: int = _setting(1000, "Largest search page.", low=1)
    max_includes: int = _setting(1000, "Most resources that come along with the matches of a search page.", low=0)
    max_chain_depth: int = _setting(3, "Most references that a chained search parameter or `_has` leads over.", low=0)
    max_or_values: int = _setting(100, "Most comma-separated values of one search parameter.", low=1)
    search_handling: str = _setting(
        "strict",
        "Search parameters that are not offered: an error, or passed over and told. `Prefer: handling=` wins.",
        choices=("strict", "lenient"),
    )

    cds_hooks_version: str = _setting(
        "2.0",
        "Version of CDS Hooks that discovery speaks; 3.0 adds `version`, `hookVersion` and templates with `today()`.",
        choices=("2.0", "3.0"),
    )
    cds_budget_seconds: float = _setting(
        5.0, "How long a CDS service may take that names no budget of its own.", low=0.05
    )
    cds_fetch_seconds: float = _setting(
        2.0, "How long a call may wait for what is fetched from the client's FHIR server.", low=0.05
    )
    cds_lenient: str = _setting(
        "", "Leniencies towards CDS Hooks calls: names with commas between, or `all` with `-name` for exceptions."
    )
    fhir_servers: str = _setting(
        "", "Base URLs of FHIR servers, with commas between, that a CDS Hooks call may have data fetched from."
    )

    pgx_kb_path: str = _setting(
        "", "Folder of pharmacogenetic guideline texts to show beside our own rows; empty means none."
    )

    kfre_region: str = _setting(
        "north-american",
        "Calibration of the kidney failure risk equation.",
        choices=("north-american", "non-north-american"),
    )
    kfre_referral_percent: float = _setting(
        5.0, "5-year kidney failure risk, in percent, from which referral is named (KDIGO 2024: 3 to 5).", low=3.0
    )
    max_age_lipids_days: int = _setting(1826, "Oldest usable lipid result (a project policy, not a guideline).", low=1)
    max_age_creatinine_days: int = _setting(365, "Oldest usable creatinine or eGFR (project policy).", low=1)
    max_age_uacr_days: int = _setting(365, "Oldest usable urine albumin-creatinine ratio (project policy).", low=1)
    max_age_vitals_days: int = _setting(
        730, "Oldest usable blood pressure, weight, height, BMI (project policy).", low=1
    )
    max_age_smoking_days: int = _setting(730, "Oldest usable smoking status (project policy).", low=1)
    max_age_results_days: int = _setting(
        365, "Oldest usable result of any other kind, in published models that say so (project policy).", low=1
    )

    log_level: str = _setting("info", "Least severe log line written.", choices=("debug", "info", "warning", "error"))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read `FHIRTWIN_<NAME>` for each setting; keyword arguments win; unknown `FHIRTWIN_*` names are refused.

        Raises:
            Incorrect: a name that is not known, or a value that does not fit; the text names the variable.
        """
        environ = os.environ if environ is None else environ
        known = {f"FHIRTWIN_{f.name.upper()}": f.name for f in fields(cls)}
        for name in environ:
            if name.startswith("FHIRTWIN_") and name not in known:
                raise Incorrect(f"{name} is not a setting of fhirtwin; docs/settings.md lists them.")
        values = {known[name]: text for name, text in environ.items() if name in known}
        hints = get_type_hints(cls)
        read = {name: _parse(f"FHIRTWIN_{name.upper()}", hints[name], text) for name, text in values.items()}
        settings = cls(**{**read, **overrides})
        settings.check()
        return settings

    def check(self) -> None:
        """Raise `Incorrect` when a value is not among its choices or not within its bounds."""
        for f in fields(self):
            value, choices = getattr(self, f.name), f.metadata["choices"]
            low, high = f.metadata["low"], f.metadata["high"]
            if choices and value not in choices:
                raise Incorrect(f"FHIRTWIN_{f.name.upper()} must be one of {', '.join(map(str, choices))}.")
            if low is not None and not value >= low:
                raise Incorrect(f"FHIRTWIN_{f.name.upper()} must be at least {low}.")
            if high is not None and not value <= high:
                raise Incorrect(f"FHIRTWIN_{f.name.upper()} must be at most {high}.")
        if self.kfre_referral_percent > 5.0:
            raise Incorrect("FHIRTWIN_KFRE_REFERRAL_PERCENT must lie within KDIGO's 3 to 5.")

    def to_env(self) -> dict[str, str]:
        """The `FHIRTWIN_*` variables from which `from_env` makes equal settings."""
        return {f"FHIRTWIN_{f.name.upper()}": str(getattr(self, f.name)) for f in fields(self)}

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self._sqlite_path.absolute()}"

    @property
    def has_database(self) -> bool:
        """Whether a gateway ever kept anything there; of a database that is named, nobody looks."""
        return bool(self.database_url) or self._sqlite_path.exists()

    @property
    def _sqlite_path(self) -> Path:
        return self.data / "fhirtwin.sqlite"

    @property
    def token_path(self) -> Path:
        """The file of the token that callers show."""
        return self.data / "token"

    @property
    def trust_path(self) -> Path:
        """The file of the EHRs that may call; it need not be there."""
        return Path(self.trust_file) if self.trust_file else self.data / "trust.json"

    @property
    def models_path(self) -> Path:
        """The folder of published models; it need not be there."""
        return Path(self.models) if self.models else self.data / "models"

    @property
    def authors_path(self) -> Path:
        """The file of the authors whose models are asked; it need not be there."""
        return Path(self.model_authors) if self.model_authors else self.data / "authors.json"

    @property
    def cds_url(self) -> str:
        """Where CDS Hooks clients find discovery, as they see it."""
        return self.base_url.rstrip("/").removesuffix("/fhir") + "/cds-services"

    @property
    def circuit_keys_secret_path(self) -> Path:
        """The file of the passphrase that seals kept keys of circuits."""
        named = self.circuit_keys_secret_file
        return Path(named) if named else self.data / "circuit-keys.secret"

    @property
    def engine_key_path(self) -> Path:
        """The file of the secret that gateway and engine share."""
        return Path(self.engine_key_file) if self.engine_key_file else self.data / "engine.key"


def _parse(name: str, kind: type, text: str) -> Any:
    if kind is bool:
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off", ""):
            return False
        raise Incorrect(f"{name} must be true or false.")
    try:
        return kind(text)
    except ValueError:
        raise Incorrect(f"{name} must be {'a whole number' if kind is int else 'a number'}.") from None
