"""Drives the real program the way its users do."""

import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from batch_shop import batch, flights_shop  # noqa: E402, F401
from loans import MANIFEST, loans, pack_loans  # noqa: E402, F401
from mariadb_server import mariadb, mariadb_server  # noqa: E402, F401
from postgres_server import postgres, postgres_server  # noqa: E402, F401
from program import PROGRAM, ROOT, Server, Slipway, until  # noqa: E402, F401  (the tests import them from here)

# What a shell starts in the background ignores the signal, and hands that on to the programs that the tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def slipway(tmp_path):
    return Slipway(tmp_path)


@pytest.fixture(scope="session")
def loans_folder(tmp_path_factory):
    """Fitted, trained and packed: loans/ with slipway.yaml, and loans-1.0.0.slipway beside it."""
    return pack_loans(tmp_path_factory.mktemp("loans"))


@pytest.fixture
def bundle(loans_folder):
    return loans_folder / "loans-1.0.0.slipway"
