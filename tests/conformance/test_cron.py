"""Cron lines name the same times as croniter, which Airflow asks, and CronSim, which follows Debian's cron where clocks change."""

import json
import os
import random
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from croniter import croniter

PROGRAM = os.environ.get("SLIPWAY", str(Path(__file__).resolve().parents[2] / "build/release/slipway"))
FIELDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
NAMES = {3: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 4: "SUN MON TUE WED THU FRI SAT".split()}
# Not Lord Howe, whose clocks change by half an hour: CronSim walks by whole hours and misses the first half of one.
ZONES = ["Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Casablanca"]
COUNT = 12


def item(chance, field):
    low, high = FIELDS[field]
    a, b = sorted(chance.sample(range(low, high + 1), 2))
    kind = chance.random()
    if kind < 0.5:
        value = chance.randint(low, high)
        return NAMES[field][value - low] if field in NAMES and chance.random() < 0.3 else str(value)
    if kind < 0.8:
        return f"{a}-{b}"
    return f"{a}-{b}/{chance.randint(1, 7)}"


def field(chance, index, star):
    kind = chance.random()
    if kind < star:
        return "*"
    if kind < star + 0.1:
        return f"*/{chance.randint(2, 15)}"
    return ",".join(item(chance, index) for _ in range(chance.choice([1, 1, 2, 3])))


def line(chance):
    return " ".join(field(chance, index, star) for index, star in enumerate([0.2, 0.25, 0.5, 0.6, 0.5]))


def ours(lines, zone, begin):
    """The next times of each line; nothing for those whose days never come."""
    words = [word for each in lines for word in ("--cron", each)]
    done = subprocess.run([PROGRAM, "batch", "schedule", *words, "--time-zone", zone, "--from", begin, "--count", str(COUNT), "--json"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    return [[datetime.fromisoformat(text) for text in schedule["next"]] for schedule in json.loads(done.stdout)]


def comes(each):
    """Whether a line names a day within 20 years: others are refused, and croniter gives up on them."""
    try:
        return CronSim(each, datetime(2026, 1, 1)).__next__().year < 2040
    except Exception:
        return False


def lines(seed, count):
    chance = random.Random(seed)
    made = (line(chance) for _ in range(10 * count))
    return [each for each in made if comes(each)][:count]


@pytest.mark.parametrize("seed", range(4))
def test_random_lines_name_the_times_that_croniter_finds(seed):
    chance = random.Random(seed)
    begin = datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=chance.randint(0, 3 * 365 * 1440))
    batch = lines(seed, 1000)
    for each, found in zip(batch, ours(batch, "UTC", begin.isoformat(timespec="seconds")), strict=True):
        walk = croniter(each, begin, implement_cron_bug=True)  # */2 is a star, as crontab(5) has it
        assert found == [walk.get_next(datetime) for _ in range(COUNT)], each


@pytest.mark.parametrize("zone", ZONES)
def test_random_lines_follow_clocks_that_change_as_debians_cron(zone):
    """From shortly before each change of clocks of two years on."""
    place = ZoneInfo(zone)
    hours = [datetime(2025, 1, 1, tzinfo=timezone.utc) + timedelta(hours=n) for n in range(2 * 365 * 24)]
    changes = [b for a, b in zip(hours, hours[1:]) if a.astimezone(place).utcoffset() != b.astimezone(place).utcoffset()]
    batch = [each for each in lines(7, 700) if each.split()[2:] != ["*", "*", "*"]][:200]
    chance = random.Random(3)
    batch += [f"{field(chance, 0, 0.2)} {chance.choice(['*', '*/2', '0-4', '1,2,3', '2', '3', '0'])} * * *" for _ in range(150)]
    for change in changes or hours[:1]:
        begin = (change - timedelta(hours=3, minutes=7)).astimezone(place)
        for each, found in zip(batch, ours(batch, zone, begin.isoformat(timespec="seconds")), strict=True):
            expected, walk = [], CronSim(each, begin)
            while len(expected) < COUNT:
                time = next(walk).astimezone(timezone.utc)
                if not expected or time > expected[-1]:  # it names a time in the skipped hour once for each minute
                    expected.append(time)
            assert [time.astimezone(timezone.utc) for time in found] == expected, (each, begin)


def test_days_counted_within_a_month():
    chance = random.Random(11)
    batch = ["0 0 L * *", "30 1 L 2,6 *", "0 0 * * 5L", "0 0 L * 1", "0 0 1 * 3#2"]
    batch += [f"5 4 * * {chance.randint(0, 6)}#{chance.randint(1, 5)}" for _ in range(50)]
    begin = datetime(2026, 11, 26, tzinfo=timezone.utc)
    for each, found in zip(batch, ours(batch, "UTC", begin.isoformat(timespec="seconds")), strict=True):
        walk = CronSim(each, begin)
        assert found == [next(walk) for _ in range(COUNT)], each


