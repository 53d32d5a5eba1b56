"""Scorer: a bundle that is open in this process."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Sequence
from typing import Any

from . import _arrow, _library, _tables
from ._errors import SlipwayError


class _Handle:
    """An opened bundle of the library; closed when the last call that uses it is over."""

    def __init__(self, path: str) -> None:
        self.pointer = _library.open_scorer(path)
        self.process = os.getpid()
        self.description: dict[str, Any] = json.loads(_library.library().slipway_describe(self.pointer))

    def __del__(self) -> None:
        pointer = getattr(self, "pointer", 0)
        if pointer and self.process == os.getpid():
            _library.library().slipway_close(ctypes.c_void_p(pointer))


class Scorer:
    """A bundle, a folder or a .slipway file, ready to score tables.

    Any number of threads may use one scorer at once; each call lets go of the GIL while it works. It is pickled as its path
    and digest, and opened again where it is unpickled and in child processes made by fork: what it says there is the same,
    or it is an error.

    threads: that score one large table; None takes what the machine allows, 1 leaves the division of work to whoever
        calls (Spark, Ray, a pool of processes). The answers do not depend on it.

    Raises SlipwayError when the bundle cannot be opened or its model not be loaded.
    """

    def __init__(self, path: str | os.PathLike[str], *, threads: int | None = None) -> None:
        self.path = os.path.abspath(os.fspath(path))
        self.threads = threads
        self._closed = False
        self._handle = _Handle(self.path)
        self._digest: str = self._handle.description["digest"]

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self._current().description["name"]

    @property
    def version(self) -> str:
        """The bundle's version, such as "1.0.0"."""
        return self._current().description["version"]

    @property
    def digest(self) -> str:
        """What identifies the bundle: "sha256:…"."""
        return self._current().description["digest"]

    @property
    def schema(self) -> dict[str, Any]:
        """The inputs by name, each with its type and rules in the manifest's words."""
        return self._current().description.get("inputs", {})

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs by name, each with its type: "number", "boolean", "number[3]"."""
        return self._current().description["outputs"]

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns of a table of answers: {"name", "type", "lists"}, with Arrow's word for a value as type, and how many
        lists stand around it."""
        return self._current().description["columns"]

    def score(self, table: Any, *, keep: Sequence[str] = (), ignore_unknown: bool = False, errors: str = "column",
              threads: int | None = None) -> Any:
        """Scores every row; the answer is of the kind that `table` is, with its rows in their order.

        table: a pyarrow.RecordBatch, Table or RecordBatchReader (whose answers come as they are read), a pandas or polars
            DataFrame, an object with __arrow_c_stream__ or __arrow_c_array__ (the answer has the same method), a list of
            dicts, or one dict.
        keep: columns of the table that stand before the outputs in the answer.
        ignore_unknown: leaves out columns that are neither inputs nor kept; otherwise they are an error.
        errors: "column" puts what is wrong with a row into the column `error`, null where the row is fine, and leaves its
            outputs null; "raise" raises at the first such row, and the answer has no such column.
        threads: as of the scorer, for this call.

        Raises SlipwayError when the table as a whole cannot be scored, such as for a missing column.
        """
        if errors not in ("column", "raise"):
            raise ValueError(f'errors is "column" or "raise", not {errors!r}')
        if isinstance(keep, str):
            keep = [keep]
        handle = self._current()
        wanted = threads if threads is not None else self.threads
        call = _tables.Call(handle, list(keep), ignore_unknown, errors == "raise", wanted or 0)
        return _tables.score(call, table)

    def output_schema(self) -> Any:
        """The columns of the answers as an object with __arrow_c_schema__; `pyarrow.schema(scorer.output_schema())`."""
        return _arrow.OutputSchema(self._current().pointer)

    def close(self) -> None:
        """Frees the model, once calls under way are over. Closing twice is fine."""
        self._closed = True
        self._handle = None

    def _current(self) -> _Handle:
        handle = self._handle
        if self._closed or handle is None:
            raise SlipwayError("failed_precondition", "scorer.closed", "", f"this scorer of {self.path} was closed")
        if handle.process != os.getpid():  # a child made by fork has no use for the parent's sessions
            handle = _Handle(self.path)
            self._check_digest(handle)
            self._handle = handle
        return handle

    def _check_digest(self, handle: _Handle) -> None:
        if handle.description["digest"] != self._digest:
            raise SlipwayError("failed_precondition", "bundle.changed", self.path,
                               f'the bundle is another one than before ({handle.description["digest"]} instead of '
                               f"{self._digest}); give each version a file of its own")

    def __enter__(self) -> Scorer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "threads": self.threads, "digest": self._digest}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path, self.threads, self._digest = state["path"], state["threads"], state["digest"]
        self._closed = False
        self._handle = _Handle(self.path)
        self._check_digest(self._handle)

    def __repr__(self) -> str:
        return f"<slipway.Scorer of {self.path}{', closed' if self._closed else ''}>"
