"""Shared by all tests: where data outside the repository lies, and the databases that tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import postgresql

if TYPE_CHECKING:
    from tests.gateway_in_process import Gateway

# Tests are not timed: a machine that others use too may be slow.
settings.register_profile("fhirtwin", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fhirtwin")

ROOT = Path(__file__).resolve().parent.parent
DATABASES = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shared",
        default=str(ROOT.parent / "shared"),
        help="folder of definitions, examples and vectors that are not part of the repository",
    )
    parser.addoption(
        "--kills", type=int, default=3, help="how often a gateway is killed in the middle of its work, on each database"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that are marked `databases` on each of them; others that need one get SQLite."""
    if "database_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker("databases"):
        metafunc.parametrize("database_url", DATABASES, indirect=True)


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder of outside data, or a skip that says how to name one."""
    folder = Path(request.config.getoption("--shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no outside data at {folder}; name its folder with --shared")
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server, or a skip that says why there is none."""
    running = postgresql.server()
    try:
        server = running.__enter__()
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(str(error))
    yield server
    running.__exit__(None, None, None)


@pytest.fixture
def database_is_new() -> bool:
    """Whether a database of PostgreSQL comes without the schema; with it, it is made quicker."""
    return False


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_is_new: bool) -> Iterator[str]:
    """What `Settings.database_url` is: empty for SQLite in the data folder, else a database for this test alone."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield ""
        return
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    with server.database(template="template0" if database_is_new else server.prepared) as url:
        yield url


@pytest.fixture
def twin(tmp_path: Path, database_url: str) -> Iterator[Gateway]:
    """A gateway in this process, with an empty store."""
    from tests.gateway_in_process import gateway  # here, for most tests need none of what it imports

    made = gateway(tmp_path, database_url=database_url)
    yield made
    made.parts.store.close()


@pytest.fixture
def patient(twin: Gateway) -> str:
    """Maria Keller's id on `twin`."""
    from tests.gateway_in_process import maria

    return twin.load(maria())
