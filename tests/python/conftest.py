"""The Python package, on the bundles of the other suites. It is the installed one, or python/src with the library that
SLIPWAY_LIBRARY names."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
if "SLIPWAY_LIBRARY" in os.environ:
    sys.path.insert(0, str(ROOT / "python/src"))

from batch_shop import flights_shop  # noqa: E402, F401
from program import Slipway  # noqa: E402
from python_shop import models_shop, predicted  # noqa: E402, F401


@pytest.fixture
def slipway_program(tmp_path):
    return Slipway(tmp_path)


@pytest.fixture
def bundle(flights_shop):  # noqa: F811
    return flights_shop / "flights-1.0.0.slipway"


@pytest.fixture
def flights(flights_shop):  # noqa: F811
    """The real flights, as pandas reads them."""
    import pandas as pd

    return pd.read_csv(flights_shop / "flights.csv", dtype={"tailnum": "string"})


@pytest.fixture
def scorer(bundle):
    import slipway

    with slipway.Scorer(bundle) as opened:
        yield opened
