"""Prints batch.json, which bench/batch/run wrote, as the table of README.md. Usage: table.py batch.json THREADS"""

import json
import statistics
import sys

NAMES = {"polars": "polars + ONNX Runtime", "pandas": "pandas + ONNX Runtime", "duckdb": "DuckDB with a function of ONNX Runtime",
         "spark": "Spark, `mapInArrow`", "lightgbm": "LightGBM's own prediction from the file", "reading": "DuckDB only reading the input"}


def middle(runs, key):
    return statistics.median(run[key] for run in runs)


def main():
    report, threads = json.load(open(sys.argv[1])), int(sys.argv[2])
    runs = {(each["model"], each["format"], each["who"]): each["runs"] for each in report["results"] if each["threads"] == threads}
    kinds = list(dict.fromkeys(key[:2] for key in runs))
    print(f"| {report['rows']:,} rows, {threads} thread{'s' * (threads > 1)} | " + " | ".join(f"{m}, {f}" for m, f in kinds) + " |")
    print("|---" * (len(kinds) + 1) + "|")
    ours = [runs[(*kind, "slipway")] for kind in kinds]
    print("| **Slipway**, rows/s (CPU s, peak MB) | " + " | ".join(
        f"{report['rows'] / middle(each, 'seconds'):,.0f} ({middle(each, 'cpu'):.1f}, {middle(each, 'peak') / 1e6:.0f})" for each in ours) + " |")
    for who, name in NAMES.items():
        cells = []
        for kind, our in zip(kinds, ours):
            their = runs.get((*kind, who))
            if their is None:
                cells.append("")
                continue
            ratios = [statistics.median(t[key] / o["seconds"] for o, t in zip(our, their)) for key in ("seconds", "whole")]
            cells.append(f"{ratios[0]:.2f}, {ratios[1]:.2f} ({middle(their, 'peak') / 1e6:.0f} MB)")
        if any(cells):
            print(f"| : {name} | " + " | ".join(cells) + " |")


main()
