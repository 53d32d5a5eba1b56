"""libslipway.so by ctypes: the functions and structures of slipway/slipway.h. ctypes lets go of the GIL during each call."""

from __future__ import annotations

import ctypes
import os
import pathlib
import threading
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p

from ._errors import SlipwayError

ABI = 1
CODES = {
    1: "cancelled", 3: "invalid_argument", 4: "deadline_exceeded", 5: "not_found", 6: "already_exists",
    7: "permission_denied", 8: "resource_exhausted", 9: "failed_precondition", 10: "aborted", 11: "out_of_range",
    12: "unimplemented", 13: "internal", 14: "unavailable", 15: "data_loss", 16: "unauthenticated",
}


class ArrowSchema(ctypes.Structure):
    _fields_ = [("format", c_char_p), ("name", c_char_p), ("metadata", c_void_p), ("flags", c_int64),
                ("n_children", c_int64), ("children", c_void_p), ("dictionary", c_void_p), ("release", c_void_p),
                ("private_data", c_void_p)]


class ArrowArray(ctypes.Structure):
    _fields_ = [("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64),
                ("n_children", c_int64), ("buffers", c_void_p), ("children", c_void_p), ("dictionary", c_void_p),
                ("release", c_void_p), ("private_data", c_void_p)]


class ArrowArrayStream(ctypes.Structure):
    _fields_ = [("get_schema", c_void_p), ("get_next", c_void_p), ("get_last_error", c_void_p), ("release", c_void_p),
                ("private_data", c_void_p)]


class Error(ctypes.Structure):
    _fields_ = [("code", c_int32), ("reason", c_char_p), ("field", c_char_p), ("message", c_char_p), ("memory", c_void_p)]


class ScoreOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("known", POINTER(c_char_p)), ("known_count", c_int64), ("ignore_unknown", c_int32),
                ("threads", c_int32), ("eager", c_int32)]


FUNCTIONS = {
    "slipway_abi": (c_uint32, []),
    "slipway_version": (c_char_p, []),
    "slipway_error_clear": (None, [POINTER(Error)]),
    "slipway_open": (c_int32, [c_char_p, c_void_p, POINTER(c_void_p), POINTER(Error)]),
    "slipway_close": (None, [c_void_p]),
    "slipway_describe": (c_char_p, [c_void_p]),
    "slipway_score": (c_int32, [c_void_p, c_void_p, c_void_p, POINTER(ScoreOptions), POINTER(ArrowSchema),
                                POINTER(ArrowArray), POINTER(Error)]),
    "slipway_score_stream": (c_int32, [c_void_p, c_void_p, POINTER(ScoreOptions), POINTER(ArrowArrayStream),
                                       POINTER(Error)]),
    "slipway_score_json": (c_int32, [c_void_p, c_char_p, c_size_t, POINTER(ScoreOptions), POINTER(c_void_p),
                                     POINTER(c_size_t), POINTER(Error)]),
    "slipway_free": (None, [c_void_p]),
    "slipway_output_schema": (c_int32, [c_void_p, POINTER(ArrowSchema), POINTER(Error)]),
}

_lock = threading.Lock()
_loaded: ctypes.CDLL | None = None
_capsule: ctypes._CFuncPtr | None = None


def library() -> ctypes.CDLL:
    """The library, opened at the first call: $SLIPWAY_LIBRARY, else the one inside this package."""
    global _loaded
    with _lock:
        if _loaded is None:
            _loaded = _load()
        return _loaded


def _load() -> ctypes.CDLL:
    path = os.environ.get("SLIPWAY_LIBRARY") or str(pathlib.Path(__file__).parent / "lib" / "libslipway.so")
    try:
        opened = ctypes.CDLL(path)
    except OSError as error:
        raise SlipwayError("unavailable", "library.missing", path,
                           f"libslipway.so cannot be opened ({error}); install the wheel of this platform, or name the "
                           "library in SLIPWAY_LIBRARY") from None
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(opened, name, None)
        if function is None:
            raise SlipwayError("unavailable", "library.foreign", path, f"this library has no function {name}")
        function.restype, function.argtypes = result, arguments
    if opened.slipway_abi() != ABI:
        raise SlipwayError("unavailable", "library.abi", path,
                           f"this package speaks version {ABI} of the library's interface, the library version "
                           f"{opened.slipway_abi()}; install both from one release")
    return opened


def capsule_function() -> ctypes._CFuncPtr:
    """slipway_python_capsule, which keeps the GIL."""
    global _capsule
    if _capsule is None:
        function = ctypes.PyDLL(library()._name).slipway_python_capsule
        function.restype, function.argtypes = ctypes.py_object, [c_char_p, c_void_p]
        _capsule = function
    return _capsule


def version() -> str:
    return library().slipway_version().decode()


def check(code: int, error: Error) -> None:
    """Raises what a call left in `error`."""
    if code == 0:
        return
    texts = [(text or b"").decode("utf-8", "replace") for text in (error.reason, error.field, error.message)]
    library().slipway_error_clear(byref(error))
    raise SlipwayError(CODES.get(code, "internal"), *texts)


def open_scorer(path: str) -> int:
    error, handle = Error(), c_void_p()
    check(library().slipway_open(os.fsencode(path), None, byref(handle), byref(error)), error)
    return handle.value or 0


def score_options(known: list[str], ignore_unknown: bool, threads: int, eager: bool = False) -> ScoreOptions:
    names = (c_char_p * len(known))(*[name.encode() for name in known])
    return ScoreOptions(ctypes.sizeof(ScoreOptions), names, len(known), int(ignore_unknown), threads, int(eager))
