"""Inputs as KServe's clients send them, over REST and gRPC alike."""

import numpy as np
from kserve import InferInput

X = np.array([[1, 2, 3, 4], [0.5, 0, -1, 8]], np.float32)


def given(name, values, datatype, binary=True):
    made = InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made
