"""Which rows `slipway batch` scores, what each says of its model, and what the summary says of all."""

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest


def flights(batch, **options):
    return pd.read_csv(batch.shop / "flights.csv", dtype={"tailnum": "string"}, **options)


@pytest.mark.parametrize("sink", ["csv", "jsonl", "parquet"])
def test_each_row_names_the_model_and_the_version_that_answered(batch, sink):
    batch("--input", batch.shop / "flights.csv", "--output", f"b.{sink}", "--keep", "flight", "--limit", 500)
    path = batch.folder / f"b.{sink}"
    if sink == "jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert {(row["model"], row["version"]) for row in rows} == {("flights", "1.0.0")} and len(rows) == 500
        return
    table = pd.read_csv(path, dtype=str) if sink == "csv" else pq.read_table(path).to_pandas()
    assert set(zip(table.model, table.version)) == {("flights", "1.0.0")} and list(table.columns)[-3:] == ["model", "version", "error"]


def test_a_kept_column_called_model_says_how_to_get_on(batch):
    flights(batch, nrows=20).rename(columns={"flight": "model"}).to_csv(batch.folder / "in.csv", index=False)
    error = batch("--input", "in.csv", "--output", "b.csv", "--keep", "model", expect=1).stderr
    assert '"model"' in error and "--no-model-columns" in error
    batch("--input", "in.csv", "--output", "b.csv", "--keep", "model", "--no-model-columns")
    assert "version" not in pd.read_csv(batch.folder / "b.csv").columns


@pytest.mark.parametrize("source", ["csv", "jsonl", "parquet"])
def test_where_scores_the_rows_for_which_it_is_true_as_they_are_scored_among_all(batch, source):
    table = batch.shop / f"flights.{source}"
    batch("--input", table, "--output", "all.csv", "--keep", "flight,distance")
    batch("--input", table, "--output", "some.csv", "--keep", "flight,distance", "--where", "distance > 1000", "--part-rows", 5000)
    whole = pd.read_csv(batch.folder / "all.csv", dtype=str)
    expected = whole[whole.distance.astype(float) > 1000]
    pd.testing.assert_frame_equal(pd.read_csv(batch.folder / "some.csv", dtype=str), expected.reset_index(drop=True))
    status = json.loads(batch("some.csv.job", "--json", command="status").stdout)
    assert status["rows"] == len(expected) and status["summary"]["left_out"] == len(whole) - len(expected)


def test_where_may_name_columns_that_the_model_does_not_know(batch):
    batch("--input", batch.shop / "flights.csv", "--output", "b.jsonl", "--keep", "flight", "--where", 'flight == "1545"', "--ignore-unknown")
    rows = [json.loads(line) for line in (batch.folder / "b.jsonl").read_text().splitlines()]
    numbers = flights(batch).index[flights(batch).flight == 1545]
    assert [row["row"] for row in rows] == list(numbers) and len(rows) > 5  # rows keep their numbers


def test_where_never_loses_a_row_whose_value_is_broken(batch):
    table = flights(batch, nrows=50).astype({"distance": object})
    table.loc[3, "distance"] = "far"
    table.to_csv(batch.folder / "in.csv", index=False)
    batch("--input", "in.csv", "--output", "b.csv", "--keep", "flight", "--where", "distance > 100000", "--rejects", "r.csv", expect=1)
    rejects = pd.read_csv(batch.folder / "r.csv")
    assert list(rejects.row) == [3] and list(rejects.code) == ["schema.wrong_type"]


def test_where_says_what_is_wrong_with_it(batch):
    options = ["--input", batch.shop / "flights.csv", "--output", "b.csv", "--keep", "flight"]
    assert 'did you mean "distance"' in batch(*options, "--where", "distanse > 5", expect=1).stderr
    assert "write a comparison" in batch(*options, "--where", "distance + 5", expect=1).stderr
    assert not (batch.folder / "b.csv.job").exists()


def test_a_sample_is_the_same_rows_on_any_number_of_threads_and_after_a_resume(batch):
    options = ["--input", batch.shop / "flights.csv", "--keep", "flight", "--sample", "10%"]
    batch(*options, "--output", "a.csv", "--threads", 1, "--part-rows", 3000)
    batch(*options, "--output", "b.csv", "--threads", 3)
    assert (batch.folder / "a.csv").read_bytes() == (batch.folder / "b.csv").read_bytes()
    assert 32_500 < len(pd.read_csv(batch.folder / "a.csv")) < 34_900
    assert "above 0 and up to 1" in batch(*options[:-1], "0", "--output", "c.csv", expect=2).stderr


def test_the_summary_sets_what_was_seen_beside_the_training_table(batch):
    batch("--input", batch.shop / "flights.csv", "--output", "b.csv", "--ignore-unknown")
    status = json.loads(batch("b.csv.job", "--json", command="status").stdout)
    told = status["summary"]["distributions"]
    distance, expected = told["inputs"]["distance"], flights(batch).distance
    assert distance["psi"] < 0.02 and distance["baseline"]["mean"] == pytest.approx(expected.mean(), rel=0.05)
    assert distance["mean"] == pytest.approx(expected.mean(), rel=0.02)
    answers = pd.read_csv(batch.folder / "b.csv", low_memory=False)
    name = next(iter(told["predictions"]))
    assert told["predictions"][name]["mean"] == pytest.approx(answers[name].mean(), rel=0.05)
    assert told["predictions"][name]["quantiles"]["p50"] == pytest.approx(answers[name].median(), rel=0.08)


def test_a_table_unlike_the_training_table_is_told_at_the_end(batch):
    table = flights(batch, nrows=5000)
    table["distance"] = table.distance * 3
    table.to_csv(batch.folder / "in.csv", index=False)
    said = batch("--input", "in.csv", "--output", "b.csv", "--ignore-unknown").stderr
    assert "far from the training table" in said and "distance" in said and "PSI" in said
    calm = batch("--input", batch.shop / "flights.csv", "--output", "c.csv", "--ignore-unknown").stderr
    assert "PSI" not in calm


def test_the_summary_of_a_resumed_job_is_that_of_all_its_parts(batch):
    options = ["--input", batch.shop / "flights.csv", "--ignore-unknown", "--part-rows", 20_000]
    batch(*options, "--output", "whole.csv")
    with open(batch.folder / "in.csv", "w") as file:
        file.write((batch.shop / "flights.csv").read_text()[:-60] + '\n"')  # a quote that is never closed
    batch("--input", "in.csv", *options[2:], "--output", "b.csv", expect=1)
    (batch.folder / "in.csv").write_text((batch.shop / "flights.csv").read_text())
    batch("b.csv.job", command="resume")
    told = [json.loads(batch(f"{name}.csv.job", "--json", command="status").stdout)["summary"]["distributions"] for name in ("whole", "b")]
    assert told[0] == told[1]
