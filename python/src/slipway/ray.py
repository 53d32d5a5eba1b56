"""Scores Ray's datasets: a class for Dataset.map_batches. The bundle is opened once in each actor.

    import slipway.ray

    scored = dataset.map_batches(
        slipway.ray.Predictor,
        fn_constructor_kwargs={"bundle": "flight-delay-1.0.0.slipway", "keep": ["flight"]},
        batch_format="pyarrow", concurrency=2, batch_size=65536)

The bundle must lie where every node finds it, and its nodes need this package.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ._scorer import Scorer


class Predictor:
    """One actor's scorer.

    bundle: a folder or a .slipway file, by an absolute path, since an actor has a working folder of its own.
    keep, ignore_unknown, errors: as of Scorer.score.
    threads: that score one batch; one, since Ray divides the work.
    """

    def __init__(self, bundle: str | os.PathLike[str], keep: Sequence[str] = (), ignore_unknown: bool = False,
                 errors: str = "column", threads: int = 1) -> None:
        self.scorer = Scorer(bundle, threads=threads)
        self.keep = list(keep)
        self.ignore_unknown = ignore_unknown
        self.errors = errors

    def __call__(self, batch: Any) -> Any:
        """A batch, in any format that Ray has but "numpy", to one of the same format."""
        if isinstance(batch, Mapping):  # which a scorer would take for one record
            raise TypeError('a batch of NumPy arrays has no missing values and no types; pass batch_format="pyarrow" (or '
                            '"pandas") to map_batches')
        return self.scorer.score(batch, keep=self.keep, ignore_unknown=self.ignore_unknown, errors=self.errors)
