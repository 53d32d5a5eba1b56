"""Makes what the tests of the engines score, in the folder named: python make_shop.py FOLDER."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from flights import pack_flights  # noqa: E402
from program import Slipway  # noqa: E402

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
if not (folder / "predicted.parquet").exists():
    pack_flights(folder)
    table = pd.read_csv(folder / "flights.csv", dtype={"tailnum": "string"})
    table["id"] = range(len(table))
    # A few that the schema refuses.
    table.loc[table.id % 50_021 == 7, "distance"] = 1
    table["sched_dep"] = pd.to_datetime(table.sched_dep).astype("datetime64[us]").dt.tz_localize("UTC")
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / "flights.parquet", row_group_size=50_000)
    Slipway(folder)("predict", "flights-1.0.0.slipway", "--input", "flights.parquet", "--output", "new.parquet", "--keep", "id",
                    "--ignore-unknown")
    (folder / "new.parquet").rename(folder / "predicted.parquet")
