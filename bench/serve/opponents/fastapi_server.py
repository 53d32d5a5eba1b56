"""FastAPI as a careful team would write it: uvloop, httptools, orjson, one worker. MODEL is logistic or trees."""

import os
import pathlib

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response

work = pathlib.Path(os.environ["BENCH_WORK"])
names = [f"f{i}" for i in range(30)]
app = FastAPI()

if os.environ["BENCH_ENGINE"] == "onnx":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(work / os.environ["BENCH_MODEL"] / "model.onnx"), options)
    name = session.get_inputs()[0].name
    output = session.get_outputs()[1].name

    def probability(row):
        return session.run([output], {name: np.array([row], dtype=np.float32)})[0][0, 1]
else:
    import joblib

    model = joblib.load(work / os.environ["BENCH_MODEL"] / "model.joblib")

    def probability(row):
        return model.predict_proba(np.array([row], dtype=np.float32))[0, 1]


@app.post("/predict")
async def predict(request: Request):
    record = orjson.loads(await request.body())
    row = [record[name] for name in names]
    return Response(orjson.dumps({"probability": float(probability(row))}), media_type="application/json")
