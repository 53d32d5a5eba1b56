"""Arrow's PyCapsule interface, by hand: structures of Python's C API hold what Arrow's C interface hands over.

https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
"""

from __future__ import annotations

import ctypes
from ctypes import PYFUNCTYPE, byref, c_char_p, c_void_p, py_object
from typing import Any

from . import _library
from ._errors import SlipwayError
from ._library import ArrowArray, ArrowArrayStream, ArrowSchema

_SCHEMA, _ARRAY, _STREAM = b"arrow_schema", b"arrow_array", b"arrow_array_stream"

_pointer = PYFUNCTYPE(c_void_p, py_object, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))


def release(structure: ctypes.Structure) -> None:
    """Gives back what nobody has taken."""
    if structure.release:
        ctypes.CFUNCTYPE(None, c_void_p)(structure.release)(ctypes.addressof(structure))


def _capsule(structure: ctypes.Structure, name: bytes) -> Any:
    """A capsule that owns the structure's content, which is moved into it."""
    if not structure.release:
        raise SlipwayError("failed_precondition", "arrow.taken", "", "these answers were taken already; score the table again")
    return _library.capsule_function()(name, ctypes.addressof(structure))


class Batch:
    """One record batch of answers, for a library that takes __arrow_c_array__. It can be taken once."""

    def __init__(self, schema: ArrowSchema, array: ArrowArray) -> None:
        self._schema, self._array = schema, array

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        return _capsule(self._schema, _SCHEMA), _capsule(self._array, _ARRAY)

    def __del__(self) -> None:
        release(self._schema)
        release(self._array)


class Stream:
    """Record batches of answers, for a library that takes __arrow_c_stream__. They can be taken once."""

    def __init__(self, stream: ArrowArrayStream) -> None:
        self._stream = stream

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return _capsule(self._stream, _STREAM)

    def __del__(self) -> None:
        release(self._stream)


def score_array(handle: int, table: Any, options: _library.ScoreOptions) -> Batch:
    """Scores what has __arrow_c_array__."""
    schema_capsule, array_capsule = table.__arrow_c_array__()
    schema, array, error = ArrowSchema(), ArrowArray(), _library.Error()
    code = _library.library().slipway_score(handle, _pointer(schema_capsule, _SCHEMA), _pointer(array_capsule, _ARRAY),
                                            byref(options), byref(schema), byref(array), byref(error))
    _library.check(code, error)
    return Batch(schema, array)


def score_stream(handle: int, table: Any, options: _library.ScoreOptions) -> Stream:
    """Scores what has __arrow_c_stream__."""
    capsule = table.__arrow_c_stream__()
    stream, error = ArrowArrayStream(), _library.Error()
    code = _library.library().slipway_score_stream(handle, _pointer(capsule, _STREAM), byref(options), byref(stream),
                                                   byref(error))
    _library.check(code, error)
    return Stream(stream)


def score_json(handle: int, lines: bytes, options: _library.ScoreOptions) -> bytes:
    """JSON lines to JSON lines."""
    text, size, error = c_void_p(), ctypes.c_size_t(), _library.Error()
    code = _library.library().slipway_score_json(handle, lines, len(lines), byref(options), byref(text), byref(size),
                                                 byref(error))
    _library.check(code, error)
    try:
        return ctypes.string_at(text, size.value)
    finally:
        _library.library().slipway_free(text)


class OutputSchema:
    """The columns of the answers, for a library that takes __arrow_c_schema__."""

    def __init__(self, handle: int) -> None:
        schema, error = ArrowSchema(), _library.Error()
        _library.check(_library.library().slipway_output_schema(handle, byref(schema), byref(error)), error)
        self._schema = schema

    def __arrow_c_schema__(self) -> Any:
        return _capsule(self._schema, _SCHEMA)

    def __del__(self) -> None:
        release(self._schema)
