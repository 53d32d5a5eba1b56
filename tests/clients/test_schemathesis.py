"""The described API, tried by Schemathesis: what /openapi.json allows is accepted, what it forbids is refused, and every answer
is one that it describes. Runs with a fixed seed; SCHEMATHESIS_SEED and SCHEMATHESIS_EXAMPLES go further."""

import json
import os
import pathlib
import subprocess
import sys

import conftest
import pytest
from contracts import write_contracts
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from program import Slipway
from rules_in_words import refuses_rightly

HERE = pathlib.Path(__file__).resolve().parent
SEED = os.environ.get("SCHEMATHESIS_SEED", "1")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "40")

# 413 (more rows than a call may have) is documented and refuses; Schemathesis does not count it among the refusals.
CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 406, 413, 415, 422]
"""


STAY = {"nights": 40, "guests": 2, "from": "2024-05-01T00:00:00Z", "plan": "HALF", "ages": [[1, 2], [3, 4]]}
RANGE = {"field": "from", "code": "schema.out_of_range", "rule": "max 2030-01-01T00:00:00Z"}
PLAN = {"field": "plan", "code": "schema.pattern", "rule": "pattern (?i)full|half"}


def test_a_refusal_is_let_through_only_for_a_rule_in_words_that_the_record_breaks():
    late = STAY | {"from": "2031-01-01T00:00:00Z"}
    assert refuses_rightly(late, {"violations": [RANGE]})
    assert refuses_rightly([STAY, late], {"errors": [{"row": 1, "violations": [RANGE]}]})
    for body, violations in ((STAY, [RANGE]), (STAY, [PLAN]), (late, [RANGE, PLAN]), (late, []),
                             (late, [RANGE | {"code": "schema.wrong_type"}]), (late, [RANGE | {"field": "nights"}])):
        assert not refuses_rightly(body, {"violations": violations})


@pytest.fixture(scope="module")
def contracts(tmp_path_factory):
    slipway = Slipway(tmp_path_factory.mktemp("contracts"))
    slipway.write("plain/slipway.yaml", conftest.PLAIN)
    slipway.write("plain/model.onnx", conftest.linear_model(conftest.PLAIN_WEIGHTS, "y"))
    with slipway.serving("plain", *write_contracts(slipway)) as server:
        yield server


def test_the_document_is_openapi(contracts):
    status, body, _ = contracts.request("GET", "/openapi.json")
    assert status == 200
    validate(json.loads(body), cls=OpenAPIV31SpecValidator)


# Phases: examples are the golden records, coverage goes through every rule of the schemas, fuzzing mixes them. Stateful testing
# follows links between operations; these have none, since no call changes what another one answers.
def test_the_server_keeps_to_its_document(contracts, tmp_path):
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    done = subprocess.run(
        [pathlib.Path(sys.executable).parent / "st", "--no-color", "--config-file", config, "run", contracts.url + "/openapi.json",
         "--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED,
         "--generation-database", "none", "--continue-on-failure"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "contract_hooks", "PYTHONPATH": str(HERE)})
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr
    assert "11 selected / 11 total" in done.stdout
