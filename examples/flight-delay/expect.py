"""Predicts with XGBoost itself on a matrix of `slipway transform`: what the served model must answer.

usage: expect.py FEATURES.parquet MODEL.json OUT.csv
"""

import sys

import pandas as pd
import xgboost

model = xgboost.XGBClassifier()
model.load_model(sys.argv[2])
features = pd.read_parquet(sys.argv[1]).to_numpy(dtype="float32")
with open(sys.argv[3], "w") as file:
    file.writelines(f"{float(p)!r}\n" for p in model.predict_proba(features)[:, 1])
