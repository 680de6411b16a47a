"""Makes cron_times.tsv: random cron expressions and their due times around changes of clocks, found by brute force.

Independent of Assay: Python's zoneinfo tells the local time, and every minute is looked at. All times are past, so
that no later change of a zone's rules can touch them.
Columns: zone, expression, after and until (seconds since 1970), how many, sha256 of the times with blanks between.
Usage: python3 make_cron_times.py > cron_times.tsv
"""

import random
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from zoneinfo import ZoneInfo

random.seed(20260301)
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
# Zone and days with a change of its clocks nearby.
PLACES = [
    ("Europe/Berlin", (2024, 3, 28)), ("Europe/Berlin", (2024, 10, 24)), ("America/New_York", (2023, 3, 9)),
    ("America/New_York", (2023, 11, 2)), ("Australia/Lord_Howe", (2023, 4, 1)), ("Australia/Lord_Howe", (2023, 9, 29)),
    ("Pacific/Apia", (2011, 12, 27)), ("Asia/Kolkata", (2024, 2, 26)), ("America/Havana", (2023, 3, 9)),
    ("Africa/Casablanca", (2022, 3, 24)), ("Antarctica/Troll", (2023, 3, 23)), ("Europe/Dublin", (2023, 10, 26)),
    ("America/Caracas", (2016, 4, 28)), ("Asia/Pyongyang", (2018, 5, 2)), ("UTC", (2024, 2, 26)),
]
DAYS = 12
EPOCH = datetime(1970, 1, 1)


def field(index, is_wild):
    low, high = RANGES[index]
    if is_wild:
        step = random.choice([1, 1, 2, 3])
        return ("*" if step == 1 else f"*/{step}", set(range(low, high + 1, step)))
    kind = random.random()
    if index == 1 and kind < 0.7:
        hour = random.choice([0, 1, 2, 3])
        return str(hour), {hour}
    if kind < 0.5:
        number = random.randint(low, high)
        return str(number), {number}
    first, last = sorted(random.sample(range(low, high + 1), 2))
    if kind < 0.75:
        return f"{first}-{last}", set(range(first, last + 1))
    return f"{last},{first}", {first, last}


def fits_day(local, fields):
    (_, _, (day_text, days), (_, months), (week_text, weekdays)) = fields
    day, week = local.day in days, (local.weekday() + 1) % 7 in weekdays
    is_either = not day_text.startswith("*") and not week_text.startswith("*")
    return local.month in months and ((day or week) if is_either else (day and week))


def fits(local, fields):
    return local.minute in fields[0][1] and local.hour in fields[1][1] and fits_day(local, fields)


def due_times(zone, fields, start):
    zone = ZoneInfo(zone)
    is_fixed = not fields[0][0].startswith("*") and not fields[1][0].startswith("*")
    due, shown = [], None
    # The clock may have been ahead of itself before the start.
    for second in range(start - 3 * 86400, start + DAYS * 86400, 60):
        local = datetime.fromtimestamp(second, zone).replace(tzinfo=None)
        minute = int((local - EPOCH).total_seconds() // 60)
        if not is_fixed:
            is_due = fits(local, fields)
        else:
            # Every minute that the clock shows for the first time, or has jumped over.
            new = range(minute if shown is None else shown + 1, minute + 1)
            is_due = any(fits(EPOCH + timedelta(minutes=number), fields) for number in new)
            shown = max(shown or minute, minute)
        if is_due and second > start:
            due.append(second)
    return due


for number in range(240):
    zone, day = PLACES[number % len(PLACES)]
    is_fixed = random.random() < 0.6
    fields = [
        field(0, not is_fixed and random.random() < 0.7), field(1, not is_fixed and random.random() < 0.7),
        field(2, random.random() < 0.7), field(3, True), field(4, random.random() < 0.7),
    ]
    start = int(datetime(*day, tzinfo=timezone.utc).timestamp())
    due = due_times(zone, fields, start)
    expression = " ".join(text for text, _ in fields)
    digest = sha256(" ".join(map(str, due)).encode()).hexdigest()
    print(zone, expression, start, start + DAYS * 86400, len(due), digest, sep="\t")
