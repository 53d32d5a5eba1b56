"""Writes the seeds of the fuzz target tables_parquet, which src/tables/parquet/flat_reader_test.cc reads too: small files
as pyarrow writes them, with small pages, both kinds of pages, every codec, and dictionaries that are given up half-way.

    python tests/fuzz/parquet_seeds.py
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent / "corpus" / "tables_parquet"
ROWS = 200


def table(rows=ROWS):
    def some(values, every):
        return [None if i % every == 0 else value for i, value in enumerate(values)]

    numbers = range(rows)
    return pa.table({
        "d": pa.array(some([i / 7 for i in numbers], 3), pa.float64()),
        "f": pa.array([i % 20 / 4 for i in numbers], pa.float32()),
        "i": pa.array(some([i * i - 500 for i in numbers], 5), pa.int32()),
        "l": pa.array([i << 33 for i in numbers], pa.int64()),
        "u": pa.array([i % 256 for i in numbers], pa.uint8()),
        "b": pa.array(some([i % 3 == 0 for i in numbers], 4), pa.bool_()),
        "s": pa.array(some([f"t{i % 9}é" for i in numbers], 6), pa.string()),
        "n": pa.array([None] * rows, pa.float64()),
        "r": pa.array([float(i) for i in numbers], pa.float64()),
        "day": pa.array(some([i * 50 - 9000 for i in numbers], 7), pa.date32()),
        "ms": pa.array([i * 86_399_999 - 10**10 for i in numbers], pa.timestamp("ms")),
        "us": pa.array([i * 86_399_999_999 - 10**13 for i in numbers], pa.timestamp("us")),
        "msz": pa.array([i * 86_399_999 - 10**10 for i in numbers], pa.timestamp("ms", "UTC")),
        "usz": pa.array([i * 86_399_999_999 - 10**13 for i in numbers], pa.timestamp("us", "UTC")),
    }, schema=pa.schema([
        ("d", pa.float64()), ("f", pa.float32()), ("i", pa.int32()), ("l", pa.int64()), ("u", pa.uint8()),
        ("b", pa.bool_()), ("s", pa.string()), ("n", pa.float64()), pa.field("r", pa.float64(), nullable=False),
        ("day", pa.date32()), ("ms", pa.timestamp("ms")), ("us", pa.timestamp("us")), ("msz", pa.timestamp("ms", "UTC")),
        ("usz", pa.timestamp("us", "UTC"))]))


def main():
    FOLDER.mkdir(exist_ok=True)
    for codec in ("none", "snappy", "gzip", "zstd"):
        for version in ("1.0", "2.0"):
            pq.write_table(table(), FOLDER / f"{codec}-v{version[0]}.parquet", compression=codec, data_page_version=version,
                           row_group_size=75, data_page_size=256, write_batch_size=16)
    pq.write_table(table(), FOLDER / "plain.parquet", compression="none", use_dictionary=False)
    pq.write_table(table(), FOLDER / "given-up.parquet", compression="snappy", dictionary_pagesize_limit=200,
                   data_page_size=128, write_batch_size=8)
    pq.write_table(table(0), FOLDER / "empty.parquet")
    pq.write_table(table(3), FOLDER / "statistics.parquet", write_page_index=True, write_page_checksum=True)


if __name__ == "__main__":
    main()
