"""A PostgreSQL of the tests' own, on a free port, in a folder of its own. It refuses to run as root, so then it is nobody's."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

import pytest
from load import free_ports
from program import until

PASSWORD = "pa ss@w/o:r'd"


def program(name):
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


class Postgres:
    password = PASSWORD

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-pg-"))
        self.as_user = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.as_user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        [self.port] = free_ports(1)
        self.data = self.folder / "data"
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self.run("initdb", "-D", self.data, "-U", "scorer", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8",
                 "--no-sync", "--no-locale")
        self.databases = 0

    def run(self, name, *words):
        done = subprocess.run([*self.as_user, program(name), *map(str, words)], cwd=self.folder, capture_output=True, text=True,
                              timeout=120, env={**os.environ, "HOME": str(self.folder)})
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        options = (f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c autovacuum=off "
                   "-c max_connections=20 -c shared_buffers=32MB")
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o", options, "start")
        return self

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    def pid(self):
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def sql(self, text, database="postgres", stdin=None):
        """The rows of the last statement, each a list of texts."""
        done = subprocess.run([program("psql"), "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                               str(self.port), "-U", "scorer", "-d", database, "-c", text], input=stdin, capture_output=True,
                              text=True, timeout=60, env={**os.environ, "PGPASSWORD": PASSWORD})
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def new_database(self):
        self.databases += 1
        name = f"test{self.databases}"
        self.sql(f"CREATE DATABASE {name}")
        return Database(self, name)

    def remove(self):
        if (self.data / "postmaster.pid").exists():
            os.kill(self.pid(), signal.SIGQUIT)
            until(lambda: not (self.data / "postmaster.pid").exists(), what="postgres does not stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class Database:
    scheme = "postgres"

    def __init__(self, server, name):
        self.server, self.name = server, name

    def sql(self, text, stdin=None):
        return self.server.sql(text, self.name, stdin)

    def url(self, parameters, login=None):
        """With the password, unless another login is given."""
        login = "scorer:" + urllib.parse.quote(self.server.password, safe="") if login is None else login
        return f"{self.scheme}://{login}@127.0.0.1:{self.server.port}/{self.name}?{parameters}"

    def load(self, table, frame, columns):
        self.sql(f"CREATE TABLE {table} ({columns})")
        self.sql(f"COPY {table} FROM STDIN (FORMAT csv)", stdin=frame.to_csv(index=False, header=False))


@pytest.fixture(scope="session")
def postgres_server():
    server = Postgres()
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture
def postgres(postgres_server):
    """An empty database on a server that runs."""
    if not (postgres_server.data / "postmaster.pid").exists():
        postgres_server.start()
    return postgres_server.new_database()
