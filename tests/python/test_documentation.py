"""The recipes of docs/python.md are run as they stand there; those for Spark and Ray by the tests of the engines."""

import os
import pathlib
import re
import subprocess

import pytest

TEXT = (pathlib.Path(__file__).resolve().parents[2] / "docs/python.md").read_text()
RECIPES = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)
ENGINES = ("pyspark", "ray")


def engine_of(recipe):
    return next((engine for engine in ENGINES if re.search(rf"^(import|from) {engine}|slipway\.{engine.removeprefix('py')}", recipe, re.M)), None)


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if engine_of(recipe) is None])
def test_recipes_run(recipe, flights_shop, tmp_path, monkeypatch):
    for file in flights_shop.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    exec(compile(recipe, "docs/python.md", "exec"), {"__name__": "__main__"})
    assert os.getcwd() == str(tmp_path)


def test_the_program_in_c_runs(bundle, tmp_path):
    from slipway import _library

    library, root = pathlib.Path(_library.library()._name).resolve(), pathlib.Path(__file__).resolve().parents[2]
    (tmp_path / "score.c").write_text(re.search(r"^```c\n(.*?)^```", TEXT, re.M | re.S).group(1))
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "score.c", f"-I{root}/include", f"-L{library.parent}",
                    "-lslipway", f"-Wl,-rpath,{library.parent}", "-o", "score"], cwd=tmp_path, check=True)
    line = '{"carrier":"AA","origin":"JFK","dest":"LAX","distance":2475,"sched_dep":"2013-07-04T08:15:00"}'
    done = subprocess.run([tmp_path / "score", bundle, line], capture_output=True, text=True, check=True)
    assert done.stdout.startswith('{"row":0,"prediction":{"probability":0.')
    failed = subprocess.run([tmp_path / "score", "no such", line], capture_output=True, text=True, check=False)
    assert failed.returncode == 1 and failed.stderr.startswith("bundle.")


def test_there_is_a_recipe_for_each_kind_of_table():
    for word in ("pyarrow", "pandas", "polars", "duckdb", "slipway.spark", "slipway.ray"):
        assert any(word in recipe for recipe in RECIPES), word
