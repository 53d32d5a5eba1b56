"""Watches a server from outside: resident memory, descriptors, processor time, what its metrics count."""

import pathlib
import re
import statistics
import threading
import time

from good import receive


class Watch(threading.Thread):
    """Samples /proc once a second until stopped."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.samples, self.stopped = pid, [], threading.Event()

    def sample(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
        return time.monotonic(), resident, descriptors(self.pid)

    def run(self):
        while not self.stopped.wait(1):
            try:
                self.samples.append(self.sample())
            except (OSError, TypeError):
                return

    def memory(self, since):
        """MiB at the end of warm-up, at the end, and the slope between in MiB a minute (Theil-Sen: robust to spikes)."""
        points = [(t, resident) for t, resident, _ in self.samples if t >= since]
        step = max(1, len(points) // 120)
        points = points[::step]
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1:]]
        fifth = max(1, len(points) // 5)
        first, last = (statistics.median(p[1] for p in part) for part in (points[:fifth], points[-fifth:]))
        return {"after_warm_up_mib": round(first, 1), "at_the_end_mib": round(last, 1),
                "slope_mib_a_minute": round(60 * statistics.median(slopes or [0]), 2),
                "largest_mib": round(max(p[1] for p in points), 1)}


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def settled_descriptors(pid, wanted):
    """As many as there are when they are as few as wanted, or after five seconds."""
    for _ in range(50):
        if descriptors(pid) <= wanted:
            break
        time.sleep(0.1)
    return descriptors(pid)


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def metrics(listener):
    """{metric with labels: value}"""
    with listener.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: soak\r\n\r\n")
        text = receive(sock)[2].decode()
    return {m[1]: float(m[2]) for m in re.finditer(r"^([^#\s]+) ([-+.\deE]+)$", text, re.M)}


def summed(values, name, *labels):
    return sum(v for k, v in values.items() if k.split("{")[0] == name and all(label in k for label in labels))
