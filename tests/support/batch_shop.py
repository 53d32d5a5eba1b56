"""Fixtures of the tests of `slipway batch`: real flights, and the program in a folder of the test's own."""

import json
import subprocess

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flights import pack_flights
from program import PROGRAM


@pytest.fixture(scope="session")
def flights_shop(tmp_path_factory):
    """flights-1.0.0.slipway, and the table of 336,776 flights as flights.csv, .jsonl and .parquet."""
    folder = pack_flights(tmp_path_factory.mktemp("flights"))
    table = pd.read_csv(folder / "flights.csv", dtype={"tailnum": "string"})
    table.to_json(folder / "flights.jsonl", orient="records", lines=True)
    pq.write_table(pa.Table.from_pandas(table), folder / "flights.parquet", row_group_size=50_000)
    return folder


@pytest.fixture
def batch(flights_shop, slipway):
    """`slipway batch run` with the model, in a folder of the test's own."""

    def run(*options, command="run", expect=0, **more):
        model = ["--model", flights_shop / "flights-1.0.0.slipway"] if command == "run" else []
        return slipway("batch", command, *model, *options, expect=expect, **more)

    run.folder, run.shop, run.slipway = slipway.folder, flights_shop, slipway
    return run


def events(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def start(batch, *arguments):
    return subprocess.Popen([PROGRAM, "batch", *map(str, arguments)], cwd=batch.folder, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
