"""What the prediction cache costs when nothing comes twice, and what it gives when most does.

usage: cache.py BUILD WORK OPPONENTS [--quick]

The same server with and without --cache-memory, in turn. "0 %": 200,000 distinct records, more than the cache holds. "90 %": nine
of ten records are of a thousand, the tenth is new. Every answer is compared with ONNX Runtime's own.
"""

import json
import statistics

import numpy as np
import pandas as pd
from driver import COLUMNS, QUICK, ROUNDS, SECONDS, WORK, Opponent, prepare, slipway, write_expected, write_rows

RECORDS = 40_000 if QUICK else 200_000
HOT = 1000


def tables():
    random = np.random.default_rng(11)
    names = [f"f{i}" for i in range(COLUMNS)]
    new = pd.DataFrame(random.normal(size=(RECORDS, COLUMNS)).round(4), columns=names)
    places = np.where(random.random(RECORDS) < 0.9, random.integers(0, HOT, RECORDS), np.arange(RECORDS))
    return {"0 %": new, "90 %": new.iloc[places].reset_index(drop=True)}


def main():
    prepare()
    results = []
    for share, table in tables().items():
        slug = share.split()[0]
        write_rows(table, WORK / f"cache-{slug}.jsonl")
        for model in ["logistic", "trees"]:
            expected = WORK / f"cache-{slug}-{model}.expected"
            write_expected(model, table.to_numpy(dtype="float32"), expected)
            servers = [Opponent(f"{model}-cache-{name}", slipway(model, *options), f"/predict/{model}", model)
                       for name, options in [("off", []), ("on", ["--cache-memory", "16MiB"])]]
            for server in servers:
                server.rows, server.expected = WORK / f"cache-{slug}.jsonl", expected
                server.start()
            for server in servers:
                server.drive(connections=16, seconds=1, rate=0)  # warm, and long enough for the cache to judge itself
            ratios, cpu = [], []
            for _ in range(ROUNDS):
                off, on = (server.drive(connections=16, seconds=SECONDS, rate=0) for server in servers)
                ratios.append(on["per_second"] / off["per_second"])
                cpu.append(off["cpu_us"] / on["cpu_us"])
            for server in servers:
                server.stop()
            target = 0.98 if slug == "0" else 1.1
            results.append({"hits": share, "model": model, "ratio": statistics.median(ratios), "least": min(ratios),
                            "greatest": max(ratios), "cpu_ratio": statistics.median(cpu), "target": target})
            print("{hits:>4} hits, {model:9} cache on : off, requests/s {ratio:5.2f} ({least:.2f} to {greatest:.2f}), "
                  "by CPU {cpu_ratio:5.2f}, target >= {target}".format(**results[-1]), flush=True)
    (WORK / "cache.json").write_text(json.dumps(results, indent=2))


main()
