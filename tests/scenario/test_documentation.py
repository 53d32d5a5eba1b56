"""What README.md and --help show is run: the commands as they stand there, on a table and a model made up here."""

import json
import re
import shlex
import sqlite3
import subprocess

import numpy as np
import mariadb_server
import pandas as pd
import pytest
from conftest import PROGRAM, ROOT
from postgres_server import PASSWORD
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.M | re.S)
EXAMPLE = ROOT / "examples/flight-delay/slipway.yaml"


def block(word, language=""):
    """The first fenced block of README.md that holds the word."""
    return next(text for kind, text in BLOCKS if word in text and kind == language)


def commands(text):
    """The lines of a block that are commands, without comments."""
    lines = (line.split("  #")[0].split(" #  ")[0].strip() for line in text.splitlines())
    return [line for line in lines if re.match(r"(\$ )?(slipway|python|curl|make|echo|source)\b", line)]


def flights(rows, seed):
    chance = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "carrier": chance.choice(["AA", "B6", "DL", "UA"], rows),
            "flight": chance.integers(1, 3000, rows),
            "origin": chance.choice(["EWR", "JFK", "LGA"], rows),
            "dest": chance.choice([a + b + "X" for a in "ABCDEFGH" for b in "ABCDEFGH"], rows),
            "distance": chance.integers(100, 5000, rows),
            "sched_dep": [f"2013-0{m}-{d:02d}T{h:02d}:15:00" for m, d, h in zip(*(chance.integers(1, n, rows) for n in (10, 29, 24)))],
            "tailnum": [f"N{n}" for n in chance.integers(100, 400, rows)],
        }
    )
    table["late"] = ((table.distance > 2500) ^ (chance.random(rows) < 0.2)).astype(int)
    return table


TRAINER = """
import pandas as pd
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
table = pd.read_parquet("features.parquet")
x = table.drop(columns=["late"]).fillna(0).to_numpy("float32")
model = LogisticRegression().fit(x, table.late.astype(int))
open("model.onnx", "wb").write(to_onnx(model, x[:1], options={"zipmap": False}).SerializeToString())
"""


@pytest.fixture
def shop(slipway):
    """A folder with everything that the documents' commands name."""
    flights(2000, 1).to_csv(slipway.folder / "train.csv", index=False)
    flights(200, 2).to_csv(slipway.folder / "test.csv", index=False)
    flights(200, 3).drop(columns="late").to_csv(slipway.folder / "new.csv", index=False)
    flights(200, 3).drop(columns="late").to_csv(slipway.folder / "flights.csv", index=False)
    slipway.write("train.py", TRAINER)
    return slipway


def run(shop, line):
    """A documented command, by the shell, with `slipway` and `python` as they are here."""
    import sys

    line = re.sub(r"(^|\| )slipway ", rf"\1{shlex.quote(PROGRAM)} ", line)
    line = re.sub(r"^python ", f"{shlex.quote(sys.executable)} -W ignore ", line)
    done = subprocess.run(["bash", "-c", line], cwd=shop.folder, capture_output=True, text=True, timeout=120)
    return done


def test_the_commands_of_the_readme_lead_from_a_table_to_a_served_model(shop):
    lines = commands(block("slipway init"))
    assert [line.split()[1] for line in lines] == ["init", "fit", "transform", "train.py", "pack", "verify", "predict", "serve"]
    for line in lines[:-1]:
        done = run(shop, line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if " init " in line:  # "read it, edit it"
            shop.write("flight-delay/slipway.yaml", EXAMPLE.read_text())
    scored = pd.read_parquet(shop.folder / "scored.parquet")
    assert list(scored.columns) == ["flight", "probability", "late", "error"]
    assert list(scored.flight) == list(pd.read_csv(shop.folder / "new.csv").flight.astype(str))

    asked, answered = block("carier"), block("carier", "json")
    path, body = re.search(r"localhost:8080(\S+) -d '(.*)'", asked).groups()
    promised = re.findall(r'"field":"(\w+)","code":"([\w.]+)"(?:,"value":([^,]+),"rule":"([^"]+)")?', answered)
    assert len(promised) == 4
    with shop.serving(lines[-1].split()[-1]) as server:
        status, problem, _ = server.request("POST", path, body)
        problem = json.loads(problem)
        assert status == problem["status"] == 422
        got = {v["field"]: v for v in problem["violations"]}
        shown = {field: code for field, code, _, _ in promised}
        assert shown == {field: v["code"] for field, v in got.items()}
        assert 'did you mean "carrier"?' in got["carier"]["message"]
        assert (got["distance"]["value"], got["distance"]["rule"]) == (-5.0, "min 10")


def test_an_onnx_file_and_the_four_lines_of_the_readme_are_a_bundle(slipway):
    manifest = block("name: iris", "yaml")
    assert len([line for line in manifest.splitlines() if line and not line.startswith("#")]) == 4
    x, y = load_iris(return_X_y=True)
    model = to_onnx(LogisticRegression(max_iter=500).fit(x.astype("float32"), y), x[:1].astype("float32"))
    slipway.write("iris/slipway.yaml", manifest)
    slipway.write("iris/model.onnx", model.SerializeToString())
    inspect, serve, curl = commands(block("slipway inspect iris"))
    done = run(slipway, inspect)
    assert done.returncode == 0 and "number[4]" in done.stdout
    path, body = re.search(r"localhost:8080(\S+) -d '(.*)'", curl).groups()
    with slipway.serving(serve.split()[-1]) as server:
        status, answer, _ = server.request("POST", path, body)
        assert status == 200 and "prediction" in json.loads(answer)


def test_a_table_with_a_column_for_each_element_is_scored_as_the_onnx_page_says(slipway):
    page = (ROOT / "docs/onnx.md").read_text()
    manifest = next(text for text in re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S) if "sepal_length" in text)
    columns = re.findall(r"^  (\w+):", manifest, re.M)
    assert len(columns) == 4
    x, y = load_iris(return_X_y=True)
    x = x.astype("float32")
    model = to_onnx(LogisticRegression(max_iter=500).fit(x, y), x[:1], options={"zipmap": False})
    slipway.write("iris/slipway.yaml", manifest)
    slipway.write("iris/model.onnx", model.SerializeToString())
    pd.DataFrame(x, columns=columns).to_csv(slipway.folder / "iris.csv", index=False)
    by_name = [line["prediction"] for line in slipway.lines("predict", "iris", "--input", "iris.csv")]
    slipway.write("iris/slipway.yaml", block("name: iris", "yaml"))
    rows = "".join(json.dumps({"X": row.tolist()}) + "\n" for row in x)
    assert by_name == [line["prediction"] for line in slipway.lines("predict", "iris", stdin=rows)]


def test_the_examples_of_every_help_run(shop):
    for command in ["init", "fit", "transform", "train", "pack", "inspect", "verify", "predict", "batch run", "balance", "completion"]:
        if command == "train":
            assert run(shop, "python train.py").returncode == 0
            continue
        examples = shop(*command.split(), "--help").stdout.split("Example")[1]
        lines = [line.strip() for line in examples.splitlines() if line.startswith("  ")]
        assert lines
        for line in lines:
            done = run(shop, line)
            wanted = 1 if line.startswith("echo") else 0  # a record with one of its fields
            assert done.returncode == wanted, f"{line}\n{done.stdout}{done.stderr}"
    (line,) = [line for line in shop("serve", "--help").stdout.splitlines() if line.startswith("  slipway serve")]
    with shop.serving(line.split()[2]) as server:
        assert server.get("/readyz")[0] == 200
    pages = shop("serve", "--help").stdout.split("Routes:")[1]
    assert {"/models", "/livez", "/readyz", "/metrics"} <= set(re.findall(r"/\w+", pages))


def test_the_commands_of_the_batch_page_run(shop, postgres, mariadb, monkeypatch):
    page = (ROOT / "docs/batch.md").read_text()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page, re.M | re.S)
    shop.write("flight-delay/slipway.yaml", EXAMPLE.read_text())
    for line in commands(block("slipway init"))[1:5]:
        assert run(shop, line).returncode == 0, line
    (shop.folder / "in").mkdir()
    for part in "1.csv", "2.csv":
        (shop.folder / "in" / part).write_bytes((shop.folder / "flights.csv").read_bytes())
    for origin, rows in pd.read_csv(shop.folder / "flights.csv").groupby("origin"):
        shop.write(f"by-origin/month=11/origin={origin}/1.csv", rows.drop(columns="origin").to_csv(index=False))
    shop.write("job.yaml", next(text for kind, text in blocks if kind == "yaml"))
    # Those that name objects are run by test_batch_s3.py, with an object store.
    lines = [line for kind, text in blocks if kind == "" for line in text.splitlines() if re.match("slipway|cat", line) and "s3://" not in line]
    assert len(lines) == 28
    with sqlite3.connect(shop.folder / "shop.db") as database:
        pd.read_csv(shop.folder / "flights.csv").drop_duplicates("flight").to_sql("flights", database, index=False)
    server = postgres.server
    server.sql("CREATE DATABASE shop")
    server.sql("CREATE TABLE flights (carrier text, flight bigint PRIMARY KEY, origin text, dest text, distance integer, sched_dep timestamp, tailnum text)", "shop")
    stored = pd.read_csv(shop.folder / "flights.csv").drop_duplicates("flight")
    server.sql("COPY flights FROM STDIN (FORMAT csv)", "shop", stdin=stored.to_csv(index=False, header=False))
    maria = mariadb.server
    maria.sql("CREATE DATABASE shop; GRANT SELECT ON shop.* TO scorer@'%'")
    mariadb_server.Database(maria, "shop").load("flights", stored, "carrier text, flight bigint PRIMARY KEY, origin text, dest text, "
                                                "distance integer, sched_dep datetime, tailnum text")
    for name, value in {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": PASSWORD, "MYSQL_HOST": "127.0.0.1",
                        "MYSQL_TCP_PORT": str(maria.port), "MYSQL_PWD": mariadb_server.PASSWORD}.items():
        monkeypatch.setenv(name, value)
    for line in lines:
        done = run(shop, line.replace("| slipway", f"| {shlex.quote(PROGRAM)}"))
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    for name, rows in {"scored.csv": 200, "from-glob.csv": 400, "good.csv": 200, "tried.csv": 100}.items():
        assert len(pd.read_csv(shop.folder / name)) == rows
    new = pd.read_csv(shop.folder / "flights.csv")
    for name, origin in {"folders.csv": "JFK", "newark.csv": "EWR"}.items():
        got = pd.read_csv(shop.folder / name)
        assert list(got.flight) == list(new.flight[new.origin == origin]) and set(got.month) == {11}
    shown = re.findall(r"^by-value/.*", page, re.M)
    assert len(shown) == 2 and all((shop.folder / path).exists() for path in shown)
    by_value = pd.read_parquet(shop.folder / "by-value").set_index("flight", append=True).reset_index("flight")
    assert sorted(zip(by_value.flight, by_value.origin)) == sorted(zip(new.flight.astype(str), new.origin))
    assert [str(path.relative_to(shop.folder)) for path in (shop.folder / "by-month").rglob("part-000000.csv")] == [
        "by-month/month=11/version=1.0.0/part-000000.csv"]
    far = stored[stored.distance > 1000]
    assert len(pd.read_csv(shop.folder / "from-table.csv")) == len(stored)
    assert list(pd.read_csv(shop.folder / "from-mysql.csv").flight) == sorted(stored.flight)
    assert list(pd.read_csv(shop.folder / "from-query.csv").flight) == sorted(far.flight)
    assert len(pd.read_csv(shop.folder / "from-sql.csv")) == 2 * len(pd.read_csv(shop.folder / "from-input.csv")) > 0
    by_sql = pd.read_parquet(shop.folder / "by-sql.parquet")
    assert list(by_sql.columns) == ["flight", "probability", "late", "error"] and by_sql.probability.notna().all()
    assert list(pd.read_csv(shop.folder / "risk.csv").origin) == ["EWR", "JFK", "LGA"]
    assert sqlite3.connect(shop.folder / "shop.db").execute("SELECT count(*) FROM scores").fetchone() == (len(stored),)
    assert server.sql("SELECT count(*) FROM scores", "shop") == [[str(len(stored))]]
    assert len(pd.read_parquet(shop.folder / "from-folder.parquet")) == 400 and not (shop.folder / "planned.csv").exists()
    assert sum(len(pd.read_csv(path)) for path in (shop.folder / "shards").glob("*/*.csv")) == 200


def test_the_overview_of_help_leads_to_a_bundle(shop):
    lines = [line.strip() for line in shop("--help").stdout.split("Exit codes")[0].splitlines() if line.startswith("  slipway")]
    assert len(lines) == 5
    for line in lines[:-1]:
        if " pack " in line:
            assert run(shop, "python train.py").returncode == 0
        done = run(shop, re.split(r"   +", line)[0])
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert (shop.folder / lines[-1].split()[2]).exists()


def test_every_page_that_the_readme_names_is_there():
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_every_manifest_that_the_documents_show_is_read(slipway):
    """Whole manifests; excerpts have no name."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for text in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.M | re.S):
            if not text.startswith("slipway: 1"):
                continue
            slipway.write("m/slipway.yaml", text)
            errors = slipway("inspect", "m", expect=1).stderr  # there is no model, or nothing fitted yet
            assert "model.onnx" in errors or "[schema.not_fitted]" in errors, f"{page}: {errors}"
