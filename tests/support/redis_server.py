"""A Redis of the test's own, in a folder of its own, that can be killed, stopped and started again at its place."""

import contextlib
import signal
import subprocess

from load import free_ports
from program import until


class Redis:
    def __init__(self, folder, password=None, options=()):
        self.folder, self.password = folder / "redis", password
        self.folder.mkdir()
        [self.port] = free_ports(1)
        self.options = [*options, *(["--requirepass", password] if password else [])]
        self.process = None

    @property
    def url(self):
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}127.0.0.1:{self.port}"

    def start(self):
        with (self.folder / "redis.log").open("a") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                 "--dir", str(self.folder), *self.options], stdout=log, stderr=log)
        until(lambda: self.cli("PING", check=False).strip() == b"PONG", what="redis-server does not answer")
        return self

    def cli(self, *words, stdin=None, check=True):
        login = ["-a", self.password, "--no-auth-warning"] if self.password else []
        flags = ["-x"] if stdin is not None else []
        done = subprocess.run(["redis-cli", "-p", str(self.port), *login, *flags, *words], input=stdin, capture_output=True,
                              timeout=20)
        assert done.returncode == 0 or not check, done
        return done.stdout

    def keys(self):
        return self.cli("KEYS", "*").decode().split()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def hold(self):
        """It takes connections and bytes, and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def running(self):
        self.start()
        try:
            yield self
        finally:
            with contextlib.suppress(ProcessLookupError):
                self.go_on()
            self.kill()
