"""Tables of every kind into the library, and answers of the same kind out of it. Packages that are not loaded made no table."""

from __future__ import annotations

import datetime
import decimal
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from . import _arrow, _library
from ._errors import SlipwayError, rejected


class Call(NamedTuple):
    handle: Any  # keeps the bundle open
    keep: list[str]
    ignore_unknown: bool
    raises: bool
    threads: int

    @property
    def inputs(self) -> Mapping[str, Any]:
        return self.handle.description.get("inputs", {})

    @property
    def columns(self) -> list[str]:
        return [column["name"] for column in self.handle.description["columns"]]

    def options(self, eager: bool = False) -> _library.ScoreOptions:
        return _library.score_options(self.keep, self.ignore_unknown, self.threads, eager)


def score(call: Call, table: Any) -> Any:
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is not None:
        if isinstance(table, pyarrow.RecordBatch):
            return _score_batch(call, table, pyarrow)
        if isinstance(table, pyarrow.Table):
            return _score_table(call, table, pyarrow)
        if isinstance(table, pyarrow.RecordBatchReader):
            return _score_reader(call, table, pyarrow)
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if pandas is not None and isinstance(table, pandas.DataFrame):
        return _score_pandas(call, table, pandas)
    if polars is not None and isinstance(table, polars.DataFrame):
        return _score_polars(call, table, polars)
    if polars is not None and isinstance(table, polars.LazyFrame):
        raise TypeError("a polars.LazyFrame is no table yet; collect() it, or score in map_batches")
    if isinstance(table, Mapping):
        return _score_records(call, [table])[0]
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        return _score_arrow(call, table)
    if isinstance(table, Sequence) and not isinstance(table, (str, bytes)):
        return _score_records(call, table)
    raise TypeError(f"cannot score a {type(table).__module__}.{type(table).__qualname__}: pass a pyarrow, pandas or polars "
                    "table, an object with __arrow_c_stream__ or __arrow_c_array__, or a list of dicts")


def _check_keep(call: Call, names: Sequence[str]) -> None:
    for name in call.keep:
        if name not in names:
            raise SlipwayError("invalid_argument", "arrow.keep", name,
                               f"keep names {name!r}, which is no column of the table; it has {', '.join(names[:20])}")
        if name in call.columns:
            raise SlipwayError("invalid_argument", "arrow.keep", name,
                               f"keep names {name!r}, and the answer has a column {name!r} of its own; rename one")


def _raise_first(errors: Sequence[str | None], count: int) -> None:
    row = next(index for index, error in enumerate(errors) if error is not None)
    raise rejected(row, errors[row], count, len(errors))


# pyarrow


def _with_kept(call: Call, table: Any, answers: Any, pyarrow: Any) -> Any:
    """The kept columns, and the answers without `error` where errors are raised."""
    if call.raises:
        errors = answers.column(answers.num_columns - 1)
        if errors.null_count != len(errors):
            _raise_first(errors.to_pylist(), len(errors) - errors.null_count)
        answers = answers.select(answers.schema.names[:-1])
    if not call.keep:
        return answers
    fields = [table.schema.field(name) for name in call.keep] + list(answers.schema)
    columns = [table.column(name) for name in call.keep] + list(answers.columns)
    return type(table).from_arrays(columns, schema=pyarrow.schema(fields))


def _score_batch(call: Call, batch: Any, pyarrow: Any) -> Any:
    _check_keep(call, batch.schema.names)
    answers = pyarrow.record_batch(_arrow.score_array(call.handle.pointer, batch, call.options()))
    return _with_kept(call, batch, answers, pyarrow)


def _score_table(call: Call, table: Any, pyarrow: Any) -> Any:
    _check_keep(call, table.schema.names)
    answers = pyarrow.table(_arrow.score_stream(call.handle.pointer, table, call.options(eager=True)))
    return _with_kept(call, table, answers, pyarrow)


def _score_reader(call: Call, reader: Any, pyarrow: Any) -> Any:
    _check_keep(call, reader.schema.names)
    fields = list(pyarrow.schema(_arrow.OutputSchema(call.handle.pointer)))
    schema = pyarrow.schema([reader.schema.field(name) for name in call.keep] + fields[:len(fields) - call.raises])
    return pyarrow.RecordBatchReader.from_batches(schema, (_score_batch(call, batch, pyarrow) for batch in reader))


# pandas


def _score_pandas(call: Call, frame: Any, pandas: Any) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise SlipwayError("unavailable", "pandas.pyarrow", "",
                           "pandas frames are scored through pyarrow, which is not installed; pip install pyarrow, or pass "
                           'frame.to_dict("records")') from None
    names = [str(name) for name in frame.columns]
    _check_keep(call, names)
    arrays, taken = [], []
    for index, name in enumerate(names):
        if name in call.inputs:
            arrays.append(_array_of(frame.iloc[:, index], name, pyarrow))
        elif name in call.keep:
            continue
        else:  # its content does not matter, its name does
            arrays.append(pyarrow.nulls(len(frame)))
        taken.append(name)
    if taken:
        batch = pyarrow.RecordBatch.from_arrays(arrays, names=taken)
    else:  # no column, but rows all the same
        batch = pyarrow.RecordBatch.from_struct_array(pyarrow.array([{}] * len(frame), pyarrow.struct([])))
    answers = _score_batch(call._replace(keep=[]), batch, pyarrow).to_pandas()
    answers.index = frame.index
    if not call.keep:
        return answers
    kept = frame.iloc[:, [names.index(name) for name in call.keep]]
    return pandas.concat([kept, answers], axis=1)


def _array_of(series: Any, name: str, pyarrow: Any) -> Any:
    """NaN means a missing value in pandas, and becomes null."""
    try:
        array = pyarrow.Array.from_pandas(series)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError) as error:
        raise SlipwayError("invalid_argument", "arrow.type", name,
                           f"the column {name!r} of {series.dtype} has no type of Arrow's ({error}); give all its values one "
                           "type") from None
    return array.combine_chunks() if isinstance(array, pyarrow.ChunkedArray) else array


# polars


def _score_polars(call: Call, frame: Any, polars: Any) -> Any:
    _check_keep(call, frame.columns)
    table = frame.select([name for name in frame.columns if name in call.inputs or name not in call.keep])
    answers = polars.DataFrame(_arrow.score_stream(call.handle.pointer, table, call.options(eager=True)))
    if call.raises:
        errors = answers.to_series(answers.width - 1)
        if errors.null_count() != len(errors):
            _raise_first(errors.to_list(), len(errors) - errors.null_count())
        answers = answers.select(answers.columns[:-1])
    return frame.select(call.keep).hstack(answers) if call.keep else answers


# Whatever else speaks Arrow


def _score_arrow(call: Call, table: Any) -> Any:
    if call.keep or call.raises:
        raise SlipwayError("unimplemented", "arrow.keep", "",
                           f"keep and errors=\"raise\" are for pyarrow, pandas, polars and dicts; a {type(table).__qualname__} "
                           "becomes a pyarrow table by pyarrow.table(…)")
    if hasattr(table, "__arrow_c_stream__"):
        return _arrow.score_stream(call.handle.pointer, table, call.options(eager=True))
    return _arrow.score_array(call.handle.pointer, table, call.options())


# Records


def _plain(value: Any) -> Any:
    """A value that json has no word for."""
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    for method in ("tolist", "isoformat"):  # NumPy's arrays and scalars, timestamps of others
        if hasattr(value, method):
            return getattr(value, method)()
    raise TypeError(f"a value of type {type(value).__qualname__} is no JSON; make it a number, a text, a list or None")


def _line(record: Any, row: int, dropped: Sequence[str]) -> str:
    if not isinstance(record, Mapping):
        raise TypeError(f"row {row} is a {type(record).__qualname__}, not a dict")
    if not dropped and isinstance(record, dict):
        fields = record
    else:
        fields = {name: value for name, value in record.items() if name not in dropped}
    try:
        return json.dumps(fields, default=_plain, allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise SlipwayError("invalid_argument", "json.value", "",
                           f"row {row} has no form in JSON ({error}); pass None for a missing value") from None


def _score_records(call: Call, records: Sequence[Any]) -> list[dict[str, Any]]:
    outputs = list(call.handle.description["outputs"])
    for name in call.keep:
        if name in outputs or name == "error":
            _check_keep(call, [name])
    dropped = [name for name in call.keep if name not in call.inputs]
    lines = "\n".join(_line(record, row, dropped) for row, record in enumerate(records))
    text = _arrow.score_json(call.handle.pointer, lines.encode("utf-8", "surrogatepass"), call.options())
    answers = [json.loads(line) for line in text.splitlines()]
    if call.raises:
        wrong = [answer for answer in answers if "error" in answer]
        if wrong:
            raise rejected(wrong[0]["row"], wrong[0]["error"], len(wrong), len(answers))
    scored = []
    for record, answer in zip(records, answers):
        row = {name: record.get(name) for name in call.keep}
        row.update(answer.get("prediction") or dict.fromkeys(outputs))
        if not call.raises:
            row["error"] = answer.get("error")
        scored.append(row)
    return scored
