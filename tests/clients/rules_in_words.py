"""The rules of the bundle `stays` (contracts.py) that its document can give in words only, since JSON Schema has no word for them.
A value that the document allows may be refused for breaking one of these, and for nothing else."""

import datetime
import re

UTC = datetime.timezone.utc
OPENING, CLOSING = (datetime.datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2030))


def moment(text):
    return datetime.datetime.fromisoformat(text.upper())


# (field, code, rule) -> whether the record breaks it. The comment says what JSON Schema lacks.
RULES = {
    # `minimum` and `maximum` are for numbers; a format has no bounds.
    ("from", "schema.out_of_range", "min 2020-01-01T00:00:00Z"): lambda stay: moment(stay["from"]) < OPENING,
    ("from", "schema.out_of_range", "max 2030-01-01T00:00:00Z"): lambda stay: moment(stay["from"]) > CLOSING,
    # `pattern` is a regular expression of ECMA 262, which has no (?i).
    ("plan", "schema.pattern", "pattern (?i)full|half"): lambda stay: not re.fullmatch("full|half", stay["plan"], re.IGNORECASE),
    # `items` cannot ask that lists be of one length.
    ("ages", "schema.shape", "integer[2,?]"): lambda stay: len({len(row) for row in stay["ages"]}) > 1,
    # No comparison of one property with another.
    ("", "schema.rule", "nights < 30 or guests < 3"): lambda stay: stay["nights"] >= 30 and stay["guests"] >= 3,
}


def records_of(body):
    if isinstance(body, dict):
        return body.get("records", [body])
    return body if isinstance(body, list) else []


def refuses_rightly(body, answer):
    """Whether a refusal names violations, and each of them is a rule in words that its record does break."""
    records = records_of(body)
    named = [(error.get("row", 0), violation) for error in answer.get("errors", [answer]) for violation in error.get("violations", [])]

    def stands(row, violation):
        broken = RULES.get((violation["field"], violation["code"], violation.get("rule")))
        try:
            return broken is not None and row < len(records) and broken(records[row])
        except (KeyError, TypeError, ValueError):
            return False

    return bool(named) and all(stands(*one) for one in named)
