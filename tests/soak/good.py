"""Good traffic: 4,096 distinct rows through every door, and what each answer must be.

The expectations come from ONNX Runtime in Python, on features computed with NumPy. Each request is sent once on a quiet server
and its answer compared number by number; from then on the same request must get the same bytes, which the load generator
compares at full speed. Requests carry their X-Request-Id, so that answers have nothing of chance in them.
"""

import gzip
import json
import socket
import struct

import numpy as np
import pandas as pd

ROWS = 4096
NUMBERS = [f"f{i}" for i in range(6)]
KINDS = ["air", "rail", "road", "sea"]

MANIFEST = """
slipway: 1
name: soak
version: 1.0.0
inputs:
""" + "".join(f"  {name}: {{type: number, min: -100, max: 100}}\n" for name in NUMBERS) + """
  kind:  {type: string, values: [air, rail, road, sea]}
  again: boolean
features:
""" + "".join(f"  - {{as: {name}, column: {name}}}\n" for name in NUMBERS) + """
  - {as: kind, one_hot: kind}
  - {as: again, expr: "if(again, 1, 0)"}
model: {engine: onnx, file: model.onnx, input: features}
outputs:
  share: "probabilities[1]"
  late:  {when: "share >= 0.5"}
"""


def make_table():
    random = np.random.default_rng(11)
    table = pd.DataFrame(random.normal(size=(ROWS, len(NUMBERS))).round(4), columns=NUMBERS)
    table["kind"] = random.choice(KINDS, ROWS)
    table["again"] = random.random(ROWS) < 0.4
    assert len(table.drop_duplicates()) == ROWS
    return table


def make_bundle(slipway, table):
    """Fits, trains and packs; returns the archive and the shares that ONNX Runtime computes."""
    import onnxruntime
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingClassifier

    kinds = np.stack([table.kind == kind for kind in KINDS], axis=1)
    matrix = np.column_stack([table[NUMBERS], kinds, table.again]).astype("float32")
    late = (table.f0 * table.f1 + table.f2 > table.f3 * 0.5 + table.again).astype(int)
    model = GradientBoostingClassifier(n_estimators=60, random_state=0).fit(matrix, late)
    exported = to_onnx(model, matrix[:1], options={"zipmap": False}, target_opset=17).SerializeToString()
    slipway.write("soak/slipway.yaml", MANIFEST)
    slipway.write("soak/model.onnx", exported)
    table.to_csv(slipway.folder / "train.csv", index=False)
    slipway("fit", "soak", "--data", "train.csv")
    slipway("pack", "soak")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(exported, options)
    return slipway.folder / "soak-1.0.0.slipway", session.run(["probabilities"], {"X": matrix})[0][:, 1]


def request(path, body, content_type, headers=()):
    lines = [f"POST {path} HTTP/1.1", "Host: soak", "X-Request-Id: soak", f"Content-Type: {content_type}",
             f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def records_of(table):
    return [{key: value.item() if hasattr(value, "item") else value for key, value in row.items()}
            for row in table.to_dict("records")]


def jsonl_of(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def tensors_of(table):
    kinds = {**{name: "FP64" for name in NUMBERS}, "kind": "BYTES", "again": "BOOL"}
    return [{"name": name, "datatype": kind, "shape": [len(table), 1], "data": table[name].tolist()} for name, kind in kinds.items()]


def oip_binary(table):
    tensors, raw = tensors_of(table), b""
    for tensor in tensors:
        values = tensor.pop("data")
        if tensor["datatype"] == "BYTES":
            bytes_ = b"".join(struct.pack("<I", len(v)) + v.encode() for v in values)
        else:
            bytes_ = np.array(values, dtype={"FP64": "<f8", "BOOL": "?"}[tensor["datatype"]]).tobytes()
        tensor["parameters"] = {"binary_data_size": len(bytes_)}
        raw += bytes_
    head = json.dumps({"inputs": tensors, "outputs": [{"name": "share", "parameters": {"binary_data": True}}]}).encode()
    return request("/v2/models/soak/infer", head + raw, "application/octet-stream",
                   [f"Inference-Header-Content-Length: {len(head)}"])


def requests_of(table):
    """(door, request, first row, rows), over all rows several times."""
    def parts(size):
        return [(start, table.iloc[start:start + size]) for start in range(0, ROWS, size)]

    for start, part in parts(1):
        yield "json", request("/predict/soak", json.dumps(records_of(part)[0]).encode(), "application/json"), start, 1
    for start, part in parts(16):
        records = records_of(part)
        yield "json_batch", request("/predict/soak", json.dumps({"records": records}).encode(), "application/json"), start, 16
        yield "oip_json", request("/v2/models/soak/infer", json.dumps({"inputs": tensors_of(part)}).encode(), "application/json"), start, 16
        yield "tfserving", request("/v1/models/soak:predict", json.dumps({"instances": records}).encode(), "application/json"), start, 16
        split = {"columns": list(part.columns), "data": [list(record.values()) for record in records]}
        yield "mlflow", request("/invocations", json.dumps({"dataframe_split": split}).encode(), "application/json"), start, 16
    for start, part in parts(64):
        yield "csv", request("/predict/soak", part.to_csv(index=False).encode(), "text/csv"), start, 64
        lines = jsonl_of(records_of(part))
        yield "jsonl", request("/predict/soak", lines, "application/x-ndjson"), start, 64
        packed = gzip.compress(lines, mtime=0)
        yield "gzip", request("/predict/soak", packed, "application/x-ndjson", ["Content-Encoding: gzip"]), start, 64
        yield "oip_binary", oip_binary(part), start, 64


def receive(sock, buffered=b""):
    """One answer: status, head, body (chunks joined) and what was received behind it."""
    data = buffered
    while b"\r\n\r\n" not in data:
        data += _more(sock)
    head, rest = data.split(b"\r\n\r\n", 1)
    status = int(head.split(b" ", 2)[1])
    fields = {k.strip().lower(): v.strip() for k, v in (line.split(b":", 1) for line in head.split(b"\r\n")[1:])}
    if fields.get(b"transfer-encoding") != b"chunked":
        size = int(fields.get(b"content-length", 0))
        while len(rest) < size:
            rest += _more(sock)
        return status, head, rest[:size], rest[size:]
    body = b""
    while True:
        while b"\r\n" not in rest:
            rest += _more(sock)
        line, rest = rest.split(b"\r\n", 1)
        size = int(line, 16)
        while len(rest) < size + 2:
            rest += _more(sock)
        body, rest = body + rest[:size], rest[size + 2:]
        if size == 0:
            return status, head, body, rest


def _more(sock):
    data = sock.recv(1 << 18)
    if not data:
        raise ConnectionError("closed in the middle of an answer")
    return data


def shares_in(door, head, body):
    """The numbers of an answer."""
    if door == "csv":
        rows = body.decode().splitlines()
        assert rows[0].startswith("share,late"), rows[0]
        return [float(row.split(",")[0]) for row in rows[1:]]
    if door in ("jsonl", "gzip"):
        return [json.loads(line)["prediction"]["share"] for line in body.splitlines()]
    if door == "oip_binary":
        size = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"inference-header")))
        output = json.loads(body[:size])["outputs"][0]
        return np.frombuffer(body[size:], {"FP64": "<f8", "FP32": "<f4"}[output["datatype"]]).tolist()
    answer = json.loads(body)
    if door == "json":
        return [answer["prediction"]["share"]]
    if door == "oip_json":
        return answer["outputs"][0]["data"]
    return [row["share"] for row in answer["predictions"]]


def write_script(table, shares, port, path):
    """Asks everything once, compares, and writes the load generator's script. Returns how many requests and rows."""
    script, rows = [], 0
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for door, text, first, count in requests_of(table):
            sock.sendall(text)
            status, head, body, _ = receive(sock)
            assert status == 200, (door, status, body[:500])
            got = np.array(shares_in(door, head, body))
            assert got.shape == (count,) and np.abs(got - shares[first:first + count]).max() <= 1e-6, (door, first, got)
            script.append((text, body))
            rows += count
    np.random.default_rng(3).shuffle(script)
    path.write_bytes(b"".join(struct.pack("<I", len(part)) + part for pair in script for part in pair))
    return len(script), rows
