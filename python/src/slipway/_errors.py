"""The one exception of this package."""

from __future__ import annotations

import json
from typing import Any


class SlipwayError(Exception):
    """Why a bundle could not be opened or a table not be scored.

    code: one of gRPC's canonical names, such as "invalid_argument" or "not_found".
    reason: stable and dotted, such as "arrow.missing_column", "bundle.digest_mismatch", "schema.violation".
    field: the column, or the place in a file; "" when the fault stands nowhere.
    message: one sentence, with the way out.
    row: of errors="raise", the first row that was rejected; otherwise None.
    violations: of errors="raise", what is wrong with that row: dicts with "field", "code", "value", "rule", "message".
    """

    def __init__(self, code: str, reason: str, field: str, message: str, row: int | None = None,
                 violations: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message if not field or field in message else f"{field}: {message}")
        self.code = code
        self.reason = reason
        self.field = field
        self.message = message
        self.row = row
        self.violations = violations or []

    def __reduce__(self):
        return SlipwayError, (self.code, self.reason, self.field, self.message, self.row, self.violations)


def rejected(row: int, error: str | dict[str, Any], count: int, rows: int) -> SlipwayError:
    """The exception for rows that break the schema; `error` is what the column of that name holds for the first of them."""
    violations = (json.loads(error) if isinstance(error, str) else error)["violations"]
    first = violations[0] if violations else {"field": "", "message": ""}
    return SlipwayError("invalid_argument", "schema.violation", first["field"],
                        f'{count} of {rows} rows were rejected; row {row}: {first["message"]}', row, violations)
