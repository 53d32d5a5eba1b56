"""`slipway batch` from and to databases: the answers of files, read at one moment, written once however often it is killed."""

import json
import os
import random
import signal
import sqlite3
import threading
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from batch_shop import events, start
from program import until

ROWS = 20_000
TYPES = {
    "postgres": "carrier text, flight bigint PRIMARY KEY, tailnum text, origin text, dest text, distance numeric, sched_dep timestamp",
    "mysql": "carrier text, flight bigint PRIMARY KEY, tailnum text, origin text, dest text, distance decimal(9,3), sched_dep datetime",
    "sqlite": "carrier TEXT, flight INTEGER PRIMARY KEY, tailnum TEXT, origin TEXT, dest TEXT, distance REAL, sched_dep TEXT",
}


class Sqlite:
    """As postgres_server.Database."""

    def __init__(self, path):
        self.path = path

    def sql(self, text):
        connection = sqlite3.connect(self.path, timeout=30)
        with connection:
            rows = connection.execute(text).fetchall()
        connection.close()
        return [["" if cell is None else str(cell) for cell in row] for row in rows]

    def url(self, parameters):
        return f"sqlite:{self.path}?{parameters}"

    def load(self, table, frame, columns):
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute(f"CREATE TABLE {table} ({columns})")
            rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False)
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(frame.columns))})", rows)
        connection.close()


@pytest.fixture
def table(batch):
    """The first flights, numbered."""
    table = pd.read_csv(batch.shop / "flights.csv", dtype={"tailnum": "string"}, nrows=ROWS)
    table["flight"] = range(1, ROWS + 1)
    table.to_csv(batch.folder / "in.csv", index=False)
    table.to_parquet(batch.folder / "in.parquet", index=False)
    return table


def database_of(kind, request, batch):
    fixtures = {"postgres": "postgres", "mysql": "mariadb"}
    database = Sqlite(batch.folder / "shop.db") if kind == "sqlite" else request.getfixturevalue(fixtures[kind])
    database.types = TYPES[kind]
    database.kind = kind
    return database


def with_flights(database, table):
    """With the table `flights`, whose rows do not stand in the order of its key."""
    database.load("flights", table.sample(frac=1, random_state=7), database.types)
    return database


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, batch):
    """One that is read and written."""
    return database_of(request.param, request, batch)


@pytest.fixture
def flights(database, table):
    return with_flights(database, table)


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def source(request, batch, table):
    """One that is read."""
    return with_flights(database_of(request.param, request, batch), table)


@pytest.fixture
def whole(batch, table):
    """What a job over the same rows in a file writes."""

    def run(name="whole.csv", *options):
        batch("--input", "in.csv", "--output", name, "--keep", "flight", *options)
        return (batch.folder / name).read_bytes()

    return run


def answers(database, table="scores", order="flight"):
    return database.sql(f"SELECT flight, probability, late, error FROM {table} ORDER BY {order}")


def same_answers(rows, csv):
    """Bit for bit: the model answers in single precision, of which a file has the shortest text."""
    file = pd.read_csv(csv, keep_default_na=False, dtype=str)
    assert [row[0] for row in rows] == list(file.flight)
    assert [np.float32(row[1] or "nan").tobytes() for row in rows] == [np.float32(text or "nan").tobytes() for text in file.probability]
    assert [{"t": "true", "f": "false", "1": "true", "0": "false"}.get(row[2], "") for row in rows] == list(file.late)
    assert [row[3] for row in rows] == list(file.error)


def stages(batch, *arguments):
    """A process that was begun and tells events, and its next event of a name."""
    process = start(batch, *arguments, "--json")

    def wait_for(name):
        for line in process.stdout:
            if json.loads(line)["event"] == name:
                return True
        return False

    return process, wait_for


def test_a_table_gets_the_answers_of_a_file(batch, source, whole):
    batch("--input", source.url("table=flights"), "--output", "b.csv", "--keep", "flight")
    assert (batch.folder / "b.csv").read_bytes() == whole()
    for sink, options in {"b.jsonl": [], "b.parquet": [], "parts": ["--output-format", "csv"]}.items():
        batch("--input", source.url("table=flights"), "--output", sink, "--keep", "flight", "--part-rows", 3000, *options)
    batch("--input", "in.csv", "--output", "f.jsonl", "--keep", "flight", "--part-rows", 3000)
    kept = [json.loads(line)["prediction"] for line in open(batch.folder / "b.jsonl")]
    assert kept == [json.loads(line)["prediction"] for line in open(batch.folder / "f.jsonl")]
    assert pq.read_table(batch.folder / "b.parquet").num_rows == ROWS and len(list((batch.folder / "parts").iterdir())) == 7
    assert not (batch.folder / "b.csv.job/input").exists()


def test_a_query_is_asked_and_a_limit_goes_to_the_database(batch, source, table):
    query = "SELECT * FROM flights WHERE origin = 'JFK' ORDER BY flight"
    batch("--input", source.url("query=" + query), "--output", "b.csv", "--keep", "flight", "--limit", 100)
    wanted = list(table.flight[table.origin == "JFK"][:100])
    assert list(pd.read_csv(batch.folder / "b.csv").flight) == wanted
    out = batch("--input", source.url("query=" + query), "--output", "-", "--output-format", "csv", "--keep", "flight", "--limit", 100)
    assert out.stdout == (batch.folder / "b.csv").read_text()


def test_sql_over_a_table(batch, source, table):
    batch("--input", source.url("table=flights"), "--sql", "SELECT * FROM input WHERE flight % 100 = 0 ORDER BY flight;",
          "--output", "b.csv", "--keep", "flight")
    assert list(pd.read_csv(batch.folder / "b.csv").flight) == list(range(100, ROWS + 1, 100))


def test_a_dry_run_asks_for_columns_alone(batch, flights):
    before = sorted(batch.folder.iterdir())
    plan = json.loads(batch("--input", flights.url("table=flights"), "--output", flights.url("table=scores"), "--keep", "flight",
                            "--dry-run", "--json").stdout)
    assert plan["files"][0]["path"].endswith("?table=flights") and "pa%20ss" not in json.dumps(plan)
    assert sorted(batch.folder.iterdir()) == before


@pytest.mark.parametrize("parameters, told", [
    ("table=flihgts", 'did you mean "flights"?'),
    ("query=SELECT nope FROM flights", "nope"),
    ("query=DELETE FROM flights", "SELECT"),
])
def test_a_wrong_question_is_told_before_anything_is_begun(batch, source, parameters, told):
    done = batch("--input", source.url(parameters), "--output", "b.csv", "--ignore-unknown", expect=1)
    assert told in done.stderr and not (batch.folder / "b.csv.job").exists()
    assert len(source.sql("SELECT flight FROM flights")) == ROWS


def test_columns_that_nobody_knows_are_refused_as_in_files(batch, source):
    source.sql("ALTER TABLE flights ADD COLUMN note text")
    assert '"note"' in batch("--input", source.url("table=flights"), "--output", "b.csv", "--keep", "flight", expect=1).stderr
    batch("--input", source.url("table=flights"), "--output", "b.csv", "--keep", "flight", "--ignore-unknown", "--limit", 5)
    source.sql("ALTER TABLE flights RENAME COLUMN origin TO origine")
    done = batch("--input", source.url("table=flights"), "--output", "c.csv", "--ignore-unknown", expect=1)
    assert 'no column "origin"' in done.stderr and "origine" in done.stderr


def test_types_of_postgresql_are_taken_for_what_they_are(batch, postgres, table, whole):
    table["blob"], table["doc"], table["pair"] = "\\x00ff", '{"a": 1}', "{1,2}"
    postgres.sql("CREATE TYPE airport AS ENUM ('EWR', 'JFK', 'LGA', 'XXX')")
    postgres.load("flights", table, "carrier char(2), flight int PRIMARY KEY, tailnum varchar(9), origin airport, dest name, "
                  "distance numeric(9,3), sched_dep timestamptz, blob bytea, doc jsonb, pair int[]")
    url = postgres.url("table=flights")
    batch("--input", url, "--output", "b.csv", "--keep", "flight", "--ignore-unknown")
    assert (batch.folder / "b.csv").read_bytes() == whole()
    batch("--input", url, "--output", "k.csv", "--keep", "flight,blob,doc,pair", "--limit", 3)
    kept = pd.read_csv(batch.folder / "k.csv")
    assert list(kept.doc) == ['{"a": 1}'] * 3 and list(kept.pair) == ["[1, 2]"] * 3
    postgres.sql("ALTER TABLE flights ALTER COLUMN dest TYPE bytea USING dest::text::bytea")
    done = batch("--input", url, "--output", "c.csv", "--ignore-unknown", expect=1)
    assert '"dest"' in done.stderr and "BLOB" in done.stderr and "CAST" in done.stderr
    query = "SELECT carrier, flight, tailnum, origin, convert_from(dest, 'UTF8') AS dest, distance, sched_dep FROM flights ORDER BY flight"
    batch("--input", postgres.url("query=" + query), "--output", "d.csv", "--keep", "flight")
    assert (batch.folder / "d.csv").read_bytes() == whole()


def test_a_value_of_sqlite_that_is_not_of_its_columns_type(batch, table):
    database = Sqlite(batch.folder / "shop.db")
    database.load("flights", table.head(100).astype({"distance": object}).replace({"distance": {table.distance[3]: "far"}}),
                  "carrier TEXT, flight INTEGER, tailnum TEXT, origin TEXT, dest TEXT, distance INT, sched_dep TEXT")
    done = batch("--input", database.url("table=flights"), "--output", "b.csv", "--keep", "flight", expect=1)
    assert '"distance"' in done.stderr and '"far"' in done.stderr and "sqlite_query" in done.stderr
    query = "query=SELECT * REPLACE (TRY_CAST(distance AS DOUBLE) AS distance) FROM sqlite_query('db', 'SELECT * FROM flights')"
    batch("--input", database.url(query), "--output", "v.csv", "--keep", "flight")
    errors = pd.read_csv(batch.folder / "v.csv").error
    assert errors.notna().sum() == (table.distance[:100] == table.distance[3]).sum() and "schema.null" in errors[3]


def test_numbers_without_bounds_are_the_nearest_doubles(batch, postgres, table):
    postgres.load("flights", table, TYPES["postgres"])
    postgres.sql("UPDATE flights SET distance = 100 + flight / 3.0")
    exact = [float(row[0]).hex() for row in postgres.sql("SELECT distance FROM flights ORDER BY flight")]
    batch("--input", postgres.url("table=flights"), "--output", "b.parquet", "--keep", "flight,distance")
    assert [value.hex() for value in pq.read_table(batch.folder / "b.parquet")["distance"].to_pylist()] == exact


def test_shards_of_a_table_are_disjoint_and_together_everything(batch, flights, whole):
    for index in range(3):
        batch("--input", flights.url("table=flights"), "--output", flights.url("table=scores"), "--keep", "flight",
              "--part-rows", 1000, "--shard", f"{index}/3")
    whole()
    same_answers(answers(flights), batch.folder / "whole.csv")
    assert len(flights.sql("SELECT * FROM slipway_jobs")) == 3
    done = batch("--input", flights.url("table=flights"), "--output", flights.url("table=scores&mode=replace"), "--shard", "0/3", expect=2)
    assert "mode=append" in done.stderr


def test_a_table_is_made_appended_to_and_replaced(batch, flights, whole):
    whole()
    run = ["--input", "in.parquet", "--keep", "flight", "--output"]
    batch(*run, flights.url("table=scores"))
    same_answers(answers(flights), batch.folder / "whole.csv")
    batch(*run, flights.url("table=scores"), "--limit", 10)
    assert flights.sql("SELECT count(*) FROM scores") == [[str(ROWS + 10)]]
    if flights.kind == "postgres":
        flights.sql("CREATE VIEW late AS SELECT flight FROM scores WHERE late")
    batch(*run, flights.url("table=scores&mode=replace"), "--limit", 5)
    assert [row[0] for row in answers(flights)] == ["1", "2", "3", "4", "5"]
    assert len(flights.sql("SELECT * FROM slipway_jobs")) == 3
    # A job that has no rows makes the table, and empties it.
    batch(*run, flights.url("table=scores&mode=replace"), "--limit", 0)
    assert flights.sql("SELECT count(*) FROM scores") == [["0"]]


def test_rows_are_updated_by_their_key_and_other_columns_stay(batch, database, table, whole):
    database.sql("CREATE TABLE scores (flight bigint, note text, probability double precision, late boolean, model text, version text, error text)")
    database.sql("INSERT INTO scores (flight, note, probability) VALUES (2, 'mine', 0.5), (-1, 'old', 0.25)")
    whole()
    for _ in range(2):
        batch("--input", "in.csv", "--output", database.url("table=scores&mode=upsert&key=flight"), "--keep", "flight")
    same_answers(database.sql("SELECT flight, probability, late, error FROM scores WHERE flight > 0 ORDER BY flight"), batch.folder / "whole.csv")
    assert database.sql("SELECT flight, note FROM scores WHERE note IS NOT NULL ORDER BY flight") == [["-1", "old"], ["2", "mine"]]


def test_the_same_key_twice_is_told_and_nothing_is_written(batch, database, table):
    table.loc[[5, 100, 15_000], "flight"] = 77
    table.to_csv(batch.folder / "in.csv", index=False)
    target = database.url("table=scores&mode=upsert&key=flight")
    done = batch("--input", "in.csv", "--output", target, "--keep", "flight", "--part-rows", 1000, expect=1)
    assert "4 answers have the same key (flight = 77)" in done.stderr and "nothing was written" in done.stderr
    assert "--keep" in batch("--input", "in.csv", "--output", database.url("table=other&mode=upsert&key=fligth"), "--keep", "flight", expect=1).stderr
    with pytest.raises(Exception, match="scores"):
        database.sql("SELECT * FROM scores")


def test_a_table_that_cannot_take_the_answers_is_told_before_anything_is_scored(batch, database, table):
    database.sql("CREATE TABLE scores (flight bigint, probability TEXT, late boolean, model text, version text, error text)")
    run = ["--input", "in.parquet", "--keep", "flight", "--output", database.url("table=scores")]
    done = batch(*run, expect=1)
    needed = {"postgres": "type text, and the answers need real", "sqlite": "type TEXT, and the answers need DOUBLE"}
    assert f'"probability" of the {needed[database.kind]}' in done.stderr
    assert not list(batch.folder.glob("*.job"))
    database.sql("DROP TABLE scores")
    database.sql("CREATE TABLE scores (flight bigint, probabillity double precision, late boolean, model text, version text, error text)")
    assert 'no column "probability"' in (told := batch(*run, expect=1).stderr) and "probabillity" in told and "ALTER TABLE" in told
    database.sql("DROP TABLE scores")
    database.sql("CREATE TABLE scores (flight bigint, probability double precision, late boolean, model text, version text, error text, who text NOT NULL)")
    assert '"who"' in batch(*run, expect=1).stderr


def test_a_text_with_a_nul_does_not_keep_the_other_rows_out(batch, postgres):
    row = {"carrier": "UA", "tailnum": "N1", "origin": "EWR", "dest": "IAH", "distance": 1400, "sched_dep": "2013-01-01T05:15:00"}
    batch.slipway.write("nul.jsonl", "".join(json.dumps({**row, "flight": flight}) + "\n" for flight in ["a\0b", "c"]))
    batch("--input", "nul.jsonl", "--output", postgres.url("table=scores"), "--keep", "flight")
    assert postgres.sql("SELECT flight FROM scores ORDER BY 1") == [["a\ufffdb"], ["c"]]


def test_what_a_user_may_not_do_is_told_before_anything_is_scored(batch, postgres, table, monkeypatch):
    postgres.sql("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    postgres.sql("CREATE TABLE scores (flight bigint, probability real, late boolean, model text, version text, error text)")
    monkeypatch.setenv("PGPASSWORD", "guest")
    target = postgres.url("table=scores", login="guest")
    assert "schema" in batch("--input", "in.csv", "--output", target, "--keep", "flight", expect=1).stderr
    postgres.sql("GRANT CREATE ON SCHEMA public TO guest")
    assert "INSERT" in batch("--input", "in.csv", "--output", target, "--keep", "flight", expect=1).stderr
    postgres.sql("GRANT INSERT ON scores TO guest")
    batch("--input", "in.csv", "--output", target, "--keep", "flight")
    postgres.load("flights", table, TYPES["postgres"])
    assert "denied" in batch("--input", postgres.url("table=flights", login="guest"), "--output", "x.csv", "--ignore-unknown", expect=1).stderr


def test_passwords_are_shown_and_kept_nowhere(batch, postgres, table, monkeypatch):
    postgres.load("flights", table, TYPES["postgres"])
    run = ["--input", postgres.url("table=flights"), "--output", postgres.url("table=scores"), "--keep", "flight", "--json"]
    outs = [batch(*run, "--job", "j"), batch("j", command="status"), batch("j", "--json", command="status")]
    outs.append(batch("--input", postgres.url("table=nope"), "--output", "x.csv", expect=1))
    outs.append(batch("--input", postgres.url("tabel=nope"), "--output", "x.csv", expect=2))
    wrong = postgres.url("table=flights", login="scorer:s3cret")
    outs.append(batch("--input", wrong, "--output", "x.csv", expect=3))
    assert "PGPASSWORD" in outs[-1].stderr
    texts = [out.stdout + out.stderr for out in outs] + [path.read_text() for path in (batch.folder / "j").iterdir() if path.is_file()]
    for secret in "s3cret", "pa ss", "pa%20ss", "r'd", "r%27d":
        assert not any(secret in text for text in texts), secret
    for variable, value in {"PGPASSWORD": "pa ss@w/o:r'd"}.items():
        monkeypatch.setenv(variable, value)
        batch("--input", postgres.url("table=flights", login="scorer"), "--output", "p.csv", "--keep", "flight")
        monkeypatch.delenv(variable)
    passfile = batch.slipway.write("pgpass", "127.0.0.1:*:*:scorer:pa ss@w/o\\:r'd\n")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    batch("--input", postgres.url("table=flights", login="scorer"), "--output", "q.csv", "--keep", "flight")
    monkeypatch.delenv("PGPASSFILE")
    service = batch.slipway.write("services", f"[shop]\nhost=127.0.0.1\nport={postgres.server.port}\ndbname={postgres.name}\nuser=scorer\n"
                                  "password=pa ss@w/o:r'd\n")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    batch("--input", "postgres:///?service=shop&table=flights", "--output", "r.csv", "--keep", "flight")
    assert (batch.folder / "p.csv").read_bytes() == (batch.folder / "q.csv").read_bytes() == (batch.folder / "r.csv").read_bytes()


def test_a_server_that_is_not_there_is_told_soon(batch, table):
    import socket

    begin = time.monotonic()
    gone = socket.socket()
    gone.bind(("127.0.0.1", 0))
    port = gone.getsockname()[1]
    assert "refused" in batch("--input", f"postgres://u@127.0.0.1:{port}/d?table=t", "--output", "x.csv", expect=3).stderr
    gone.listen(1)  # it takes the connection, and says nothing
    done = batch("--input", f"postgres://u@127.0.0.1:{port}/d?table=t&connect_timeout=2", "--output", "x.csv", expect=3)
    assert "timeout" in done.stderr and time.monotonic() - begin < 20
    gone.close()
    assert "no such file" in batch("--input", "sqlite:nope.db?table=t", "--output", "x.csv", expect=1).stderr
    batch.slipway.write("no.db", "this is a text, and no database at all " * 40)
    assert "no SQLite database" in batch("--input", "sqlite:no.db?table=t", "--output", "x.csv", expect=1).stderr


def slow(rows):
    """A question that takes the server half a millisecond a row."""
    return (f"query=SELECT f.* FROM (SELECT * FROM flights ORDER BY flight LIMIT {rows}) f, LATERAL (SELECT pg_sleep(0.0005 %2B 0 * f.flight)) s "
            "ORDER BY f.flight")


def test_killed_while_rows_are_staged_it_stages_them_anew(batch, postgres, table, whole):
    postgres.load("flights", table, TYPES["postgres"])
    process, wait_for = stages(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", postgres.url(slow(5000)),
                               "--output", "b.csv", "--keep", "flight")
    assert wait_for("staging")
    process.kill()
    process.communicate()
    assert not (batch.folder / "b.csv").exists()
    done = batch("b.csv.job", command="resume", expect=3)
    assert "PGPASSWORD" in done.stderr
    os.environ["PGPASSWORD"] = "pa ss@w/o:r'd"
    try:
        batch("b.csv.job", command="resume")
    finally:
        del os.environ["PGPASSWORD"]
    assert (batch.folder / "b.csv").read_bytes() == whole("whole.csv", "--limit", 5000)


def test_a_signal_ends_staging(batch, postgres, table):
    postgres.load("flights", table, TYPES["postgres"])
    process, wait_for = stages(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", postgres.url(slow(ROWS)),
                               "--output", "b.csv", "--keep", "flight")
    assert wait_for("staging")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 4 and json.loads(out.splitlines()[-1])["reason"] == "batch.stopped"


def test_a_server_that_stops_while_rows_are_staged(batch, postgres, table, whole, monkeypatch):
    postgres.load("flights", table, TYPES["postgres"])
    process, wait_for = stages(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", postgres.url(slow(5000)),
                               "--output", "b.csv", "--keep", "flight")
    assert wait_for("staging")
    postgres.server.stop()
    out, _ = process.communicate(timeout=60)
    last = json.loads(out.splitlines()[-1])
    assert process.returncode == 4 and last["event"] == "stopped" and last["reason"] == "tables.connection", last
    postgres.server.start()
    monkeypatch.setenv("PGPASSWORD", "pa ss@w/o:r'd")
    batch("b.csv.job", command="resume")
    assert (batch.folder / "b.csv").read_bytes() == whole("whole.csv", "--limit", 5000)


def test_a_table_altered_mid_job_does_not_matter_once_its_rows_are_staged(batch, source, whole):
    process, wait_for = stages(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", source.url("table=flights"),
                               "--output", "b.csv", "--keep", "flight", "--part-rows", 200, "--threads", 1)
    assert wait_for("part")
    process.kill()
    process.communicate()
    source.sql("DROP TABLE flights")
    batch("b.csv.job", command="resume")
    assert (batch.folder / "b.csv").read_bytes() == whole("whole.csv", "--part-rows", 200)


def test_staged_rows_that_are_damaged_are_told(batch, source):
    process, wait_for = stages(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", source.url("table=flights"),
                               "--output", "b.csv", "--keep", "flight", "--part-rows", 200, "--threads", 1)
    assert wait_for("part")
    process.kill()
    process.communicate()
    staged = batch.folder / "b.csv.job/input/000.parquet"
    content = staged.read_bytes()
    staged.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    assert "not what they were" in batch("b.csv.job", command="resume", expect=1).stderr
    staged.write_bytes(content)  # as a copy of the folder would have it
    batch("b.csv.job", command="resume")


def test_rows_are_read_as_they_were_at_one_moment(batch, source):
    """Another process moves flights from one half of the table to the other while it is read; none is seen twice or not at all."""
    source.sql("UPDATE flights SET distance = 100000")
    if source.kind == "sqlite":
        source.sql("PRAGMA journal_mode = WAL")
    done = threading.Event()

    def change():
        while not done.is_set():
            source.sql(f"UPDATE flights SET distance = CASE WHEN flight <= {ROWS // 2} THEN distance + 1 ELSE distance - 1 END")

    changes = threading.Thread(target=change)
    changes.start()
    try:
        for n in range(3):
            batch("--input", source.url("table=flights"), "--output", f"{n}.csv", "--keep", "flight,distance")
    finally:
        done.set()
        changes.join()
    for n in range(3):
        seen = pd.read_csv(batch.folder / f"{n}.csv")
        assert len(seen) == ROWS and seen.distance[: ROWS // 2].nunique() == seen.distance[ROWS // 2 :].nunique() == 1
        assert seen.distance[0] - 100000 == 100000 - seen.distance[ROWS - 1]


def slow_commit(postgres, seconds):
    """Jobs that are recorded take their time to be committed; the server goes on with it even when the client is gone."""
    postgres.sql(f"""CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$""")
    postgres.sql("CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slipway_jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()")


def test_killed_between_commit_and_its_own_record_it_writes_nothing_twice(batch, postgres, table, whole, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "pa ss@w/o:r'd")
    batch("--input", "in.parquet", "--output", postgres.url("table=scores"), "--keep", "flight", "--limit", 0)
    slow_commit(postgres, 2)
    process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", "in.parquet", "--output",
                    postgres.url("table=scores"), "--keep", "flight", "--job", "j")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    until(lambda: postgres.sql(waiting) == [["1"]], what="nothing is committed")
    process.kill()
    process.communicate()
    until(lambda: postgres.sql(waiting) == [["0"]], what="the commit does not end")
    assert postgres.sql("SELECT count(*) FROM scores") == [[str(ROWS)]]
    postgres.sql("DROP TRIGGER wait ON slipway_jobs")
    batch("j", command="resume")
    whole()
    same_answers(answers(postgres), batch.folder / "whole.csv")
    assert json.loads(batch("j", "--json", command="status").stdout)["state"] == "done"


def test_a_server_that_stops_while_the_table_is_written(batch, postgres, table, whole, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "pa ss@w/o:r'd")
    batch("--input", "in.parquet", "--output", postgres.url("table=scores"), "--keep", "flight", "--limit", 0)
    slow_commit(postgres, 30)
    process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", "in.parquet", "--output",
                    postgres.url("table=scores"), "--keep", "flight", "--job", "j", "--json")
    until(lambda: postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == [["1"]])
    postgres.server.stop()
    out, errors = process.communicate(timeout=60)
    last = json.loads(out.splitlines()[-1])
    assert process.returncode == 4 and last["reason"] == "tables.connection" and last["rows"] == ROWS, errors
    postgres.server.start()
    assert postgres.sql("SELECT count(*) FROM scores") == [["0"]]
    postgres.sql("DROP TRIGGER wait ON slipway_jobs")
    told = events(batch("j", "--json", command="resume"))
    assert [event["event"] for event in told] == ["resumed", "finished"], "nothing is scored again"
    whole()
    same_answers(answers(postgres), batch.folder / "whole.csv")


def test_killed_at_any_moment_a_table_gets_every_row_once(batch, flights, whole, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "pa ss@w/o:r'd")
    whole()
    chance = random.Random(5)
    options = ["--model", batch.shop / "flights-1.0.0.slipway", "--input", flights.url("table=flights"), "--keep", "flight", "--part-rows", 2000]
    begin = time.monotonic()
    batch.slipway("batch", "run", *options, "--output", flights.url("table=full"))
    full = time.monotonic() - begin
    for n in range(int(os.environ.get("SLIPWAY_KILLS", "25")) // 8 + 1):
        command = ["run", *options, "--output", flights.url(f"table=scores{n}"), "--job", f"j{n}"]
        for _ in range(4):
            process = start(batch, *command)
            time.sleep(chance.uniform(0, full * 1.2))
            process.kill()
            process.communicate()
            if process.returncode == 0:
                break
            if (batch.folder / f"j{n}/job.json").exists():
                command = ["resume", f"j{n}"]
        else:
            batch.slipway("batch", *command)
        same_answers(answers(flights, f"scores{n}"), batch.folder / "whole.csv")


def test_readers_see_all_old_rows_or_all_new_ones_while_a_table_is_replaced(batch, database, table):
    run = ["--input", "in.parquet", "--keep", "flight", "--output", database.url("table=scores&mode=replace")]
    if database.kind == "sqlite":
        database.sql("PRAGMA journal_mode = WAL")
    batch(*run)
    counts, done = set(), threading.Event()

    def read():
        while not done.is_set():
            counts.add(database.sql("SELECT count(*) FROM scores")[0][0])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(3):
            batch(*run)
    finally:
        done.set()
        reader.join()
    assert counts == {str(ROWS)}
