"""Trains the demo's model on the matrix that `slipway transform` made, and saves it as ONNX.

usage: train.py FEATURES.parquet MODEL.onnx
"""

import sys

import pandas as pd
import xgboost
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

matrix, target = sys.argv[1], "late"
table = pd.read_parquet(matrix)
features = table.drop(columns=[target]).to_numpy(dtype="float32")
model = xgboost.XGBClassifier(
    n_estimators=200, max_depth=6, learning_rate=0.1, tree_method="hist", n_jobs=2, random_state=7
)
model.fit(features, table[target].astype(int))
onnx_model = convert_xgboost(model, initial_types=[("features", FloatTensorType([None, features.shape[1]]))])
entry = onnx_model.metadata_props.add()
entry.key, entry.value = "trainer", f"xgboost {xgboost.__version__}, 200 trees, depth 6, learning rate 0.1"
with open(sys.argv[2], "wb") as file:
    file.write(onnx_model.SerializeToString())
model.save_model(sys.argv[2].replace(".onnx", ".json"))
print(f"trained on {features.shape[0]} rows x {features.shape[1]} features")
