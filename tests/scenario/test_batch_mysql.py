"""`slipway batch` from MySQL and MariaDB: what only they do. What all databases have is in test_batch_databases.py."""

import json
import signal
import socket
import threading
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest
from batch_shop import start
from certificates import Authority
from mariadb_server import PASSWORD, Mariadb
from program import until

ROWS = 3000
TYPES = "carrier text, flight bigint PRIMARY KEY, tailnum text, origin text, dest text, distance decimal(9,3), sched_dep datetime"


@pytest.fixture
def table(batch):
    table = pd.read_csv(batch.shop / "flights.csv", dtype={"tailnum": "string"}, nrows=ROWS)
    table["flight"] = range(1, ROWS + 1)
    table.to_csv(batch.folder / "in.csv", index=False)
    return table


@pytest.fixture
def flights(mariadb, table):
    mariadb.load("flights", table.sample(frac=1, random_state=7), TYPES)
    return mariadb


@pytest.fixture
def whole(batch, table):
    batch("--input", "in.csv", "--output", "whole.csv", "--keep", "flight")
    return (batch.folder / "whole.csv").read_bytes()


def run(batch, database, parameters, output, *options, **more):
    return batch("--input", database.url(parameters), "--output", output, *(options or ["--keep", "flight"]), **more)


def begin(batch, database, parameters, event):
    """A job that was begun, once it told the event."""
    process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", database.url(parameters), "--output",
                    "b.csv", "--keep", "flight", "--json")
    assert any(json.loads(line)["event"] == event for line in process.stdout)
    return process


def slow(rows):
    """A question that takes the server a millisecond a row."""
    return ("query=SELECT carrier, flight, tailnum, origin, dest, distance %2B sleep(0.001) AS distance, sched_dep FROM "
            f"(SELECT * FROM flights ORDER BY flight LIMIT {rows}) f ORDER BY flight")


def test_types_of_mysql_are_taken_for_what_they_are(batch, mariadb, table, whole):
    table["narrow"], table["whole"], table["huge"], table["binary"] = 123456.789, 1234567890, "9" * 30 + ".25", "Ä😀"
    table["small"], table["big"], table["bit"], table["doc"], table["kind"] = 7, 2**64 - 1, 1, '{"a": 1}', "b"
    mariadb.load("flights", table, "carrier char(2), flight int unsigned PRIMARY KEY, tailnum varchar(9), origin enum('EWR','JFK','LGA','XXX'), "
                 "dest varchar(3) COLLATE utf8mb4_bin, distance double, sched_dep datetime(6), narrow decimal(9,3) unsigned, "
                 "`whole` decimal(10,0), huge decimal(50,2), `binary` varchar(9) COLLATE utf8mb4_bin, small tinyint(1), "
                 "big bigint unsigned, bit tinyint(1), doc json, kind set('a','b')")
    run(batch, mariadb, "table=flights", "b.csv", "--keep", "flight", "--ignore-unknown")
    assert (batch.folder / "b.csv").read_bytes() == whole
    names = ["narrow", "whole", "huge", "binary", "small", "big", "doc", "kind"]
    run(batch, mariadb, "table=flights", "k.parquet", "--keep", ",".join(names), "--ignore-unknown", "--limit", 1)
    [kept] = pq.read_table(batch.folder / "k.parquet").select(names).to_pylist()
    assert kept == {"narrow": 123456.789, "whole": 1234567890, "huge": float("9" * 30 + ".25"), "binary": "Ä😀", "small": 7,
                    "big": str(2**64 - 1), "doc": '{"a": 1}', "kind": "b"}


def test_days_that_are_none_and_nulls_are_missing_values(batch, flights):
    flights.sql("SET sql_mode = 'ALLOW_INVALID_DATES'; UPDATE flights SET sched_dep = CASE flight WHEN 1 THEN '0000-00-00 00:00:00' "
                "WHEN 2 THEN '2013-00-00 05:00:00' ELSE NULL END WHERE flight <= 3")
    run(batch, flights, "table=flights", "b.csv")
    errors = pd.read_csv(batch.folder / "b.csv").error
    assert list(errors.index[errors.notna()]) == [0, 1, 2] and errors[:3].str.contains("sched_dep").all()


def test_a_moment_is_the_same_whatever_zone_the_server_has(batch, mariadb, table, whole):
    mariadb.load("flights", table.assign(at="2013-01-01 00:30:00"), TYPES + ", at timestamp NULL")
    mariadb.sql("SET time_zone = '+02:00'; ALTER TABLE flights MODIFY sched_dep timestamp NULL; "
                "UPDATE flights SET sched_dep = sched_dep + INTERVAL 2 HOUR, at = '2013-01-01 02:30:00'")
    mariadb.sql("SET GLOBAL time_zone = '+03:00'")
    try:
        run(batch, mariadb, "table=flights", "b.csv", "--keep", "flight", "--ignore-unknown")
        run(batch, mariadb, "table=flights", "k.parquet", "--keep", "at", "--ignore-unknown", "--limit", 1)
    finally:
        mariadb.sql("SET GLOBAL time_zone = 'SYSTEM'")
    assert (batch.folder / "b.csv").read_bytes() == whole
    kept = pq.read_table(batch.folder / "k.parquet")["at"]
    assert kept.type.tz == "UTC" and str(kept[0].as_py()) == "2013-01-01 00:30:00+00:00"


def test_a_decimal_of_a_query_that_is_wider_than_told_names_the_cast(batch, flights, table):
    query = "query=SELECT carrier, flight, tailnum, origin, dest, {} AS distance, sched_dep FROM flights ORDER BY flight"
    wide = query.format("CAST(1234567890 AS DECIMAL(10,0))")
    assert "CAST(a AS DOUBLE)" in run(batch, flights, wide, "b.csv", expect=1).stderr
    run(batch, flights, query.format("CAST(CAST(1234567890 AS DECIMAL(10,0)) AS DOUBLE)"), "c.csv")


def test_rows_that_a_query_mentions_twice_are_of_one_moment(batch, flights):
    flights.sql("UPDATE flights SET distance = 100000")
    done = threading.Event()

    def change():
        while not done.is_set():
            flights.sql("UPDATE flights SET distance = distance + 1")

    changes = threading.Thread(target=change)
    changes.start()
    try:
        for n in range(3):
            run(batch, flights, "table=flights", f"{n}.csv", "--keep", "flight,other", "--ignore-unknown", "--sql",
                "SELECT a.*, a.distance - b.distance AS other FROM input a JOIN (SELECT * FROM input ORDER BY distance) b USING (flight)")
    finally:
        done.set()
        changes.join()
    assert all((pd.read_csv(batch.folder / f"{n}.csv").other == 0).all() for n in range(3))


def test_a_question_that_writes_is_refused_and_writes_nothing(batch, flights):
    for text in ["DELETE FROM flights RETURNING *", "SELECT 1 INTO @x", "INSERT INTO flights (flight) VALUES (-1) RETURNING *"]:
        done = run(batch, flights, "query=" + text, "b.csv", expect=1)
        assert "SELECT" in done.stderr or "no rows" in done.stderr, done.stderr
    assert flights.sql("SELECT count(*) FROM flights") == [[str(ROWS)]]
    done = batch("--input", "in.csv", "--output", flights.url("table=scores"), "--keep", "flight", expect=2)
    assert "not written" in done.stderr and "write a file" in done.stderr and PASSWORD not in done.stderr


def test_what_is_missing_is_named(batch, flights):
    told = run(batch, flights, "table=other.flights", "b.csv", expect=1).stderr
    assert '"other.flights"' in told and f"127.0.0.1:{flights.server.port}" in told
    told = run(batch, flights, "query=SELECT a FROM " + "(SELECT 1 AS b) AS x /* " + "long " * 200 + "*/", "b.csv", expect=1).stderr
    assert "MySQL says: Unknown column 'a'" in told
    assert "mysql://host/DATABASE" in batch("--input", flights.url("table=flights").replace(f"/{flights.name}", ""), "--output", "b.csv",
                                            expect=1).stderr
    assert '"ssl_mode"' in run(batch, flights, "table=flights&ssl_mod=required", "b.csv", expect=2).stderr


def test_passwords_are_shown_and_kept_nowhere(batch, flights, monkeypatch):
    outs = [run(batch, flights, "table=flights", "b.csv", "--job", "j", "--keep", "flight", "--json"), batch("j", "--json", command="status"),
            run(batch, flights, "table=nope", "x.csv", expect=1), run(batch, flights, "tabel=nope", "x.csv", expect=2),
            batch("--input", flights.url("table=flights", login="scorer:s3cret"), "--output", "x.csv", expect=3),
            batch("--input", flights.url("table=flights", login="scorer"), "--output", "x.csv", expect=3),
            batch("--input", flights.url("table=flights").replace(flights.name, "nope"), "--output", "x.csv", expect=3)]
    assert all("MYSQL_PWD" in out.stderr and "Access denied" in out.stderr for out in outs[4:6])
    assert "to database 'nope'" in outs[6].stderr and "MYSQL_PWD" not in outs[6].stderr
    texts = [out.stdout + out.stderr for out in outs] + [path.read_text() for path in (batch.folder / "j").iterdir() if path.is_file()]
    for secret in "s3cret", "pa ss", "pa%20ss", "r'd", "r%27d":
        assert not any(secret in text for text in texts), secret
    monkeypatch.setenv("MYSQL_PWD", PASSWORD)
    batch("--input", flights.url("table=flights", login="scorer"), "--output", "p.csv", "--keep", "flight")
    assert (batch.folder / "p.csv").read_bytes() == (batch.folder / "b.csv").read_bytes()


def test_a_server_that_is_not_there_is_told_soon(batch, table):
    begin = time.monotonic()
    gone = socket.socket()
    gone.bind(("127.0.0.1", 0))
    address = f"mysql://u@127.0.0.1:{gone.getsockname()[1]}/d?table=t"
    assert "takes no connection: Connection refused" in batch("--input", address, "--output", "x.csv", expect=3).stderr
    gone.listen(1)  # it takes the connection, and says nothing
    assert "says nothing for 1 s" in batch("--input", address + "&connect_timeout=1", "--output", "x.csv", expect=3).stderr
    gone.close()
    assert '"nope.invalid" is not known' in batch("--input", "mysql://u@nope.invalid/d?table=t", "--output", "x.csv", expect=3).stderr
    assert time.monotonic() - begin < 10


def test_killed_while_rows_are_staged_it_stages_them_anew(batch, flights, whole, monkeypatch):
    process = begin(batch, flights, slow(ROWS), "staging")
    process.kill()
    process.communicate()
    assert "MYSQL_PWD" in batch("b.csv.job", command="resume", expect=3).stderr
    monkeypatch.setenv("MYSQL_PWD", PASSWORD)
    batch("b.csv.job", command="resume")
    assert (batch.folder / "b.csv").read_bytes() == whole


@pytest.mark.parametrize("pause", [0.001, 60])
def test_a_signal_ends_staging_and_the_question_on_the_server(batch, flights, pause):
    """Also when no row has come yet."""
    query = f"query=SELECT carrier, flight, tailnum, origin, dest, distance %2B sleep({pause}) AS distance, sched_dep FROM flights"
    process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", flights.url(query), "--output", "b.csv",
                    "--keep", "flight", "--json")
    running = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%sleep(%' AND id <> connection_id()"
    until(lambda: flights.sql(running) == [["1"]], what="nothing is asked")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 4 and json.loads(out.splitlines()[-1])["reason"] == "batch.stopped"
    until(lambda: flights.sql(running) == [["0"]], what="the server goes on")


def test_a_server_that_stops_while_rows_are_staged(batch, flights, whole, monkeypatch):
    process = begin(batch, flights, slow(ROWS), "staging")
    flights.server.stop()
    out, _ = process.communicate(timeout=20)
    last = json.loads(out.splitlines()[-1])
    assert process.returncode == 4 and last["event"] == "stopped" and last["reason"] == "tables.connection", last
    flights.server.start()
    monkeypatch.setenv("MYSQL_PWD", PASSWORD)
    batch("b.csv.job", command="resume")
    assert (batch.folder / "b.csv").read_bytes() == whole


def test_a_server_that_shows_what_is_not_committed_is_refused(batch, flights):
    flights.sql("SET GLOBAL tx_isolation = 'READ-UNCOMMITTED'")
    try:
        assert "READ-COMMITTED or better" in run(batch, flights, "table=flights", "b.csv", expect=1).stderr
    finally:
        flights.sql("SET GLOBAL tx_isolation = 'REPEATABLE-READ'")


def test_a_server_is_asked_over_tls(batch, table, whole, tmp_path):
    server = Mariadb()
    try:
        certificate, key = Authority(server.folder / "tls").issue("server")
        key.chmod(0o644)
        other = Authority(server.folder / "other").path
        server.start(f"--ssl-cert={certificate}", f"--ssl-key={key}")
        database = server.new_database()
        database.sql("ALTER USER scorer@'%' REQUIRE SSL")
        database.load("flights", table, TYPES)
        run(batch, database, f"table=flights&ssl-mode=verify_ca&ssl_ca={server.folder}/tls/ca.pem", "b.csv")
        assert (batch.folder / "b.csv").read_bytes() == whole
        told = run(batch, database, f"table=flights&ssl_mode=verify_ca&ssl_ca={other}", "c.csv", expect=3).stderr
        assert "MySQL cannot be reached" in told and "certificate" in told
        run(batch, database, "table=flights&ssl_mode=disabled", "c.csv", expect=3)
    finally:
        server.remove()
