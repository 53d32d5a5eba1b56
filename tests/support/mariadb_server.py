"""A MariaDB of the tests' own, on a free port, in a folder of its own. It refuses to run as root, so then it is nobody's."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import postgres_server
import pytest
from load import free_ports
from program import until

PASSWORD = "pa ss@w/o:r'd\"\\"


class Mariadb:
    password = PASSWORD

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-maria-"))
        self.as_user = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.as_user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        [self.port] = free_ports(1)
        self.data, self.socket = self.folder / "data", self.folder / "socket"
        done = subprocess.run([*self.as_user, "mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--skip-test-db",
                               "--auth-root-authentication-method=normal", "--skip-name-resolve"], capture_output=True, text=True,
                              timeout=120, cwd=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        self.process = None
        self.databases = 0

    def start(self, *options):
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [*self.as_user, shutil.which("mariadbd") or "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.data}",
                 f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.socket}", f"--pid-file={self.folder}/pid",
                 "--skip-name-resolve", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=32M",
                 "--character-set-server=utf8mb4", *options], stdout=log, stderr=log, cwd=self.folder)
        until(lambda: self.client("SELECT 1").returncode == 0, what="mariadbd does not answer")
        return self

    def stop(self):
        """At once. What was committed is with the system by then (flush-log-at-trx-commit), and there again after start()."""
        self.process.kill()
        self.process.wait()

    def client(self, text, database="mysql", stdin=None):
        return subprocess.run(["mariadb", "--no-defaults", "-S", str(self.socket), "-u", "root", "--default-character-set=utf8mb4",
                               "-N", "-B", "--local-infile=1", database, "-e", text], input=stdin, capture_output=True, text=True, timeout=60)

    def sql(self, text, database="mysql", stdin=None):
        """The rows of the last statement, each a list of texts."""
        done = self.client(text, database, stdin)
        assert done.returncode == 0, done.stderr
        return [["" if cell == "NULL" else cell for cell in line.split("\t")] for line in done.stdout.splitlines()]

    def new_database(self):
        self.databases += 1
        name = f"test{self.databases}"
        secret = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
        self.sql(f"CREATE DATABASE {name}; CREATE USER IF NOT EXISTS scorer@'%' IDENTIFIED BY '{secret}'; "
                 f"GRANT ALL ON {name}.* TO scorer@'%'")
        return Database(self, name)

    def remove(self):
        if self.process:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Database(postgres_server.Database):
    scheme = "mysql"

    def load(self, table, frame, columns):
        file = self.server.folder / f"{self.name}.csv"
        file.write_text(frame.to_csv(index=False, header=False, na_rep="\\N"))
        self.sql(f"CREATE TABLE {table} ({columns}); LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table} CHARACTER SET utf8mb4 "
                 "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'")
        file.unlink()


@pytest.fixture(scope="session")
def mariadb_server():
    server = Mariadb()
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture
def mariadb(mariadb_server):
    """An empty database on a server that runs."""
    if mariadb_server.process.poll() is not None:
        mariadb_server.start()
    return mariadb_server.new_database()
