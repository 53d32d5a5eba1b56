"""The recipes of docs/python.md for Spark and Ray, as they stand there."""

import pathlib
import re

import pyarrow.parquet as pq
import pytest

TEXT = (pathlib.Path(__file__).resolve().parents[3] / "docs/python.md").read_text()
RECIPES = [recipe for recipe in re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S) if re.search(r"slipway\.(spark|ray)", recipe)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_run(recipe, shop, tmp_path, monkeypatch):
    (tmp_path / "flights-1.0.0.slipway").symlink_to(shop / "flights-1.0.0.slipway")
    pq.write_table(pq.read_table(shop / "flights.parquet").drop_columns(["id"]), tmp_path / "flights.parquet")
    monkeypatch.chdir(tmp_path)
    exec(compile(recipe, "docs/python.md", "exec"), {"__name__": "__main__"})
    assert pq.read_table(tmp_path / "scored").num_rows == 336_776


def test_there_is_one_for_each_engine():
    assert len(RECIPES) == 2
