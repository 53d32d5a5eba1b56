"""Fixtures of the tests of `slipway batch` over an object store."""

import json
import subprocess

import pandas as pd
import pytest
from object_store import SECRET, Meddler, ObjectStore
from program import PROGRAM


@pytest.fixture(scope="session")
def rows(flights_shop):
    return pd.read_csv(flights_shop / "flights.csv", dtype={"tailnum": "string"}, nrows=40_000)


@pytest.fixture
def store(tmp_path):
    with ObjectStore(tmp_path).running() as store:
        yield store


@pytest.fixture
def lake(store, batch):
    """`slipway batch run` with the object store's environment; `local` is the same over files."""

    def run(*options, command="run", expect=0, environment=None):
        model = ["--model", batch.shop / "flights-1.0.0.slipway"] if command == "run" and "--model" not in options else []
        done = subprocess.run([PROGRAM, "batch", command, *map(str, [*model, *options])], cwd=batch.folder,
                              env=environment or store.environment(), capture_output=True, text=True, timeout=300)
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert SECRET not in done.stdout + done.stderr
        return done

    def start(*options, command="run", environment=None):
        model = ["--model", batch.shop / "flights-1.0.0.slipway"] if command == "run" and "--model" not in options else []
        return subprocess.Popen([PROGRAM, "batch", command, *map(str, [*model, *options])], cwd=batch.folder,
                                env=environment or store.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    run.start, run.store, run.folder, run.local, run.shop = start, store, batch.folder, batch, batch.shop
    return run


@pytest.fixture
def meddler(store):
    with Meddler(store.port).running() as meddler:
        yield meddler


def local(lake, table, output, *options):
    """What the job writes over a file, as bytes."""
    lake.local("--input", table, "--output", output, "--keep", "flight", *options)
    return (lake.folder / output).read_bytes()


def status(lake, job):
    return json.loads(lake(job, "--json", command="status").stdout)
