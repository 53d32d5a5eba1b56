"""Bundles whose contracts differ as much as contracts can: what the described API is tried with."""

import json

import numpy as np
from conftest import linear_model
from onnx import TensorProto, checker, helper, numpy_helper

# Times, sets, expressions, bounds, personal and repaired values, a vector.
VISITS = r"""
slipway: 1
name: visits
version: 1.2.0
description: What a visit costs
inputs:
  age:      {type: integer, min: 0, max: 120}
  score:    {type: number, min: -1.5, max: 2.5, description: Between the clocks, unit: points}
  seen:     {type: timestamp, zone: "+02:00"}
  until:    {type: timestamp, optional: true}
  ward:     {type: string, values: [north, south, "a \"b\""]}
  payer:    {type: string, values: [state, self], unknown: other}
  room:     {type: integer, values: [1, 2, 3], unknown: "null"}
  code:     {type: string, pattern: "[A-Z]{2}[0-9]{1,4}"}
  mail:     {type: string, personal: true, optional: true, max_length: 40}
  phone:    {type: string, personal: pseudonymize, missing: "null", min_length: 2, max_length: 9}
  weight:   {type: number, min: 1, max: 300, missing: impute, default: 70}
  pulse:    {type: number, min: 20, max: 250, on_violation: clamp}
  mood:     {type: number, min: 0, max: 10, on_violation: warn}
  heat:     {type: number, min: 30, max: 45, on_violation: impute, default: 37}
  note:     {type: string, null_values: ["NA", "-"], missing: "null"}
  again:    boolean
  trace:    {type: "number[3]", min: -10, max: 10}
  path:     {type: "integer[?]", optional: true}
features:
  - {as: age,    column: age}
  - {as: score,  column: score}
  - {as: hour,   expr: "hour(seen)"}
  - {as: ward,   one_hot: ward}
  - {as: payer,  one_hot: payer}
  - {as: weight, column: weight}
  - {as: pulse,  column: pulse}
  - {as: heat,   column: heat}
  - {as: again,  expr: "if(again, 1, 0)"}
  - {as: trace,  column: trace}
model: {engine: onnx, file: model.onnx, input: features}
outputs:
  cost:  {from: "y[0]", min: 0, round: 3}
  dear:  {when: "cost >= 100"}
  parts: {from: y, labels: [all, bed, care], top: 2}
limits: {max_batch_rows: 64}
"""

# What JSON Schema cannot say, and the document says in words.
STAYS = r"""
slipway: 1
name: stays
version: 0.1.0
inputs:
  nights: {type: integer, min: 1, max: 90}
  guests: {type: integer, min: 1, max: 9}
  from:   {type: timestamp, min: "2020-01-01T00:00:00Z", max: "2030-01-01T00:00:00Z"}
  plan:   {type: string, pattern: "(?i)full|half"}
  ages:   {type: "integer[2,?]", optional: true}
rules:
  - {check: "nights < 30 or guests < 3", message: no long stays of groups}
features:
  - {as: nights, column: nights}
  - {as: guests, column: guests}
  - {as: month,  expr: "month(from)"}
model: {engine: onnx, file: model.onnx, input: features}
outputs:
  price: "y[0]"
"""

TEXT = """
slipway: 1
name: text
version: 1.0.0
inputs:
  words: {type: string, max_length: 200}
model: {engine: onnx, file: model.onnx}
"""

SEVERAL = """
slipway: 1
name: several
version: 3.0.0-rc.1
unknown_fields: ignore
inputs:
  a: number
  b: {type: number, missing: "null"}
  c: {type: boolean, missing: impute, default: false}
model: {engine: onnx, file: model.onnx}
outputs:
  raw:    {from: shares}
  named:  {from: shares, labels: [low, middle, high]}
  class:  {from: best, labels: [low, middle, high]}
  sure:   {when: "shares[0] > 0.5", description: The first one is likely}
  total:  {expr: "shares[0] + shares[1] + shares[2]", round: 2}
"""


def one_graph(nodes, inputs, outputs, weights=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(weights))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return model.SerializeToString()


def text_model():
    """Counts of four words."""
    node = helper.make_node("TfIdfVectorizer", ["words"], ["counts"], max_gram_length=1, max_skip_count=0, min_gram_length=1,
                            mode="TF", ngram_counts=[0], ngram_indexes=[0, 1, 2, 3], pool_strings=["a", "b", "c", "d"])
    return one_graph([node], [helper.make_tensor_value_info("words", TensorProto.STRING, ["rows", 1])],
                     [helper.make_tensor_value_info("counts", TensorProto.FLOAT, ["rows", 4])])


def several_model():
    weights = numpy_helper.from_array(np.array([[1, 0, -1], [0.5, 1, 0], [2, -2, 0]], dtype=np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Softmax", ["z"], ["shares"], axis=1),
             helper.make_node("ArgMax", ["shares"], ["best"], axis=1, keepdims=0)]
    return one_graph(nodes, [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3])],
                     [helper.make_tensor_value_info("shares", TensorProto.FLOAT, ["rows", 3]),
                      helper.make_tensor_value_info("best", TensorProto.INT64, ["rows"])], [weights])


def visit(i):
    return {"age": 20 + i, "score": 0.5, "seen": f"2024-05-01T10:0{i}:00", "ward": ["north", "south", 'a "b"'][i % 3],
            "payer": ["state", "self"][i % 2], "room": 1 + i % 3, "code": f"AB1{i}", "phone": "123", "weight": 60 + i, "pulse": 70,
            "mood": 3, "heat": 37, "note": "x", "again": i % 2 == 0, "trace": [1, 2, i]}


def write_contracts(slipway):
    """Writes the bundles beside those of conftest; returns their folders."""
    slipway.write("visits/slipway.yaml", VISITS)
    slipway.write("visits/model.onnx", linear_model(np.arange(45, dtype=np.float32).reshape(15, 3) / 16, "y"))
    slipway.write("visits.jsonl", "".join(json.dumps(visit(i)) + "\n" for i in range(8)))
    slipway("fit", "visits", "--data", "visits.jsonl")
    slipway("pack", "visits", "--golden", "visits.jsonl")
    slipway.write("stays/slipway.yaml", STAYS)
    slipway.write("stays/model.onnx", linear_model(np.array([[80], [20], [1]], dtype=np.float32), "y"))
    slipway.write("text/slipway.yaml", TEXT)
    slipway.write("text/model.onnx", text_model())
    slipway.write("several/slipway.yaml", SEVERAL)
    slipway.write("several/model.onnx", several_model())
    return ["visits-1.2.0.slipway", "stays", "text", "several"]
