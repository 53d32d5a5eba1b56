"""The same bits as the program's, from every kind of table."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import slipway
from program import Slipway


def same(answers, expected):
    """Whether two pyarrow tables hold the same values, floats by their bits."""
    assert answers.column_names == expected.column_names
    for name in answers.column_names:
        mine, theirs = (table.column(name).combine_chunks() for table in (answers, expected))
        assert mine.is_valid().equals(theirs.is_valid()), name
        if pa.types.is_floating(theirs.type):
            assert mine.type == theirs.type, name
            assert mine.fill_null(0).to_numpy().tobytes() == theirs.fill_null(0).to_numpy().tobytes(), name
        else:
            assert mine.cast(theirs.type).equals(theirs), name


@pytest.mark.parametrize("door", ["predicted", "batch"])
def test_all_real_flights_get_the_bits_of_predict_and_batch(door, predicted, scorer, flights_shop):
    table = pq.read_table(flights_shop / "flights.parquet")
    assert table.num_rows == 336_776
    expected = predicted[door].select(["flight", "probability", "late", "error"])
    same(scorer.score(table, keep=["flight"]), expected)
    same(scorer.score(table, keep=["flight"], threads=1), expected)


def test_pandas_frames_get_them(predicted, scorer, flights):
    shuffled = flights.sample(frac=1, random_state=2)
    answers = scorer.score(shuffled, keep=["flight"])
    assert answers.index.equals(shuffled.index)
    same(pa.Table.from_pandas(answers.sort_index(), preserve_index=False), predicted["predicted"])


def test_pandas_frames_of_other_types_get_them(predicted, scorer, flights):
    changed = flights.assign(
        carrier=flights.carrier.astype("category"), origin=flights.origin.astype("category"), distance=flights.distance.astype("float32"),
        sched_dep=pd.to_datetime(flights.sched_dep), tailnum=flights.tailnum.astype(object),
    )
    same(pa.Table.from_pandas(scorer.score(changed, keep=["flight"]), preserve_index=False), predicted["predicted"])


def test_polars_frames_get_them(predicted, scorer, flights_shop):
    frame = pl.read_parquet(flights_shop / "flights.parquet")
    same(scorer.score(frame, keep=["flight"]).to_arrow(), predicted["predicted"])
    changed = frame.with_columns(pl.col("carrier").cast(pl.Categorical), pl.col("origin").cast(pl.Enum(["EWR", "JFK", "LGA"])),
                                 pl.col("sched_dep").str.to_datetime(time_unit="ns"), pl.col("distance").cast(pl.UInt16))
    same(scorer.score(changed, keep=["flight"]).to_arrow(), predicted["predicted"])


def test_record_batches_slices_and_readers_get_them(predicted, scorer, flights_shop):
    table = pq.read_table(flights_shop / "flights.parquet")
    reader = scorer.score(table.to_reader(max_chunksize=10_007), keep=["flight"])
    assert isinstance(reader, pa.RecordBatchReader)
    same(reader.read_all(), predicted["predicted"])
    batch = table.combine_chunks().to_batches()[0].slice(1_001, 3_003)
    answers = scorer.score(batch, keep=["flight"])
    assert isinstance(answers, pa.RecordBatch)
    same(pa.Table.from_batches([answers]), predicted["predicted"].slice(1_001, 3_003))


@pytest.mark.parametrize("cast", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_every_form_of_text_gets_them(cast, predicted, scorer, flights_shop):
    table = pq.read_table(flights_shop / "flights.parquet").slice(77, 20_000)
    for name in ("carrier", "origin", "dest", "sched_dep") if not pa.types.is_dictionary(cast) else ("carrier", "origin", "dest"):
        table = table.set_column(table.schema.get_field_index(name), name, table.column(name).cast(cast))
    same(scorer.score(table, keep=["flight"]), predicted["predicted"].slice(77, 20_000))


def test_records_get_them(predicted, scorer, flights):
    records = flights.head(3000).astype(object).where(flights.head(3000).notna(), None).to_dict("records")
    answers = scorer.score(records, keep=["flight"])
    expected = predicted["predicted"].slice(0, 3000).to_pydict()
    assert [np.float32(row["probability"]) for row in answers] == [np.float32(value) for value in expected["probability"]]
    assert [row["flight"] for row in answers] == expected["flight"]
    assert scorer.score({**records[0]}, keep=["flight"]) == answers[0]


@pytest.mark.parametrize("model", ["labels", "whole"])
def test_models_with_labels_and_lists_get_them(model, models_shop):
    Slipway(models_shop)("predict", model, "--input", "rows.parquet", "--output", f"{model}.parquet")
    table = pq.read_table(models_shop / "rows.parquet")
    answers = slipway.Scorer(models_shop / model).score(table)
    expected = pq.read_table(models_shop / f"{model}.parquet")
    assert answers.to_pydict() == expected.to_pydict()
    assert slipway.Scorer(models_shop / model).score(pl.from_arrow(table)).to_dict(as_series=False) == expected.to_pydict()


@pytest.mark.parametrize("form", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 2)])
def test_models_that_take_tensors_get_them(form, models_shop):
    table = pq.read_table(models_shop / "rows.parquet").to_pydict()
    rows = [list(pair) for pair in zip(table["a"], table["b"])]
    scorer = slipway.Scorer(models_shop / "bare")
    (name,) = scorer.schema
    answers = scorer.score(pa.table({name: pa.array(rows, form)}))
    program = Slipway(models_shop)
    lines = "".join(f'{{"{name}": {row}}}\n' for row in rows)
    expected = [line["prediction"] for line in program.lines("predict", "bare", stdin=lines)]
    assert answers.drop_columns(["error"]).to_pylist() == [
        {key: np.float32(value).tolist() if isinstance(value, list) else value for key, value in row.items()} for row in expected
    ]
