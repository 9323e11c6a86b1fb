#!/usr/bin/env python3
"""Write the C table of time zones from a directory of compiled zone files (TZif, RFC 8536).

Usage: pack_zones.py ZONEINFO_DIR OUTPUT.c

Debian compiles its zone files with the optional `backzone` data: zones that agree since 1970 keep histories of their own
before that (Europe/Stockholm is +01:12:12 in 1818). The plain IANA data, which Java and so Neo4j use, makes them links to
one zone (Europe/Berlin, +00:53:28). Which zones those are follows from two tables of the same package: a zone of zone.tab
that zone1970.tab does not list is a link to the listed zone of the same country that agrees with it since 1970.
"""
import pathlib
import re
import struct
import sys

RULE = re.compile(r"^(<[^>]+>|[A-Za-z]+)([-+\d:]+)(?:(<[^>]+>|[A-Za-z]+)([-+\d:]+)?,(.+),(.+))?$")
DAY = re.compile(r"^M(\d+)\.(\d)\.(\d)(?:/([-+\d:]+))?$")
NO_RULE_DAY = (0, 0, 0, 0)


def seconds_of(text):
    sign = -1 if text.startswith("-") else 1
    parts = [int(p) for p in text.lstrip("+-").split(":")] + [0, 0]
    return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2])


def rule_day(text):
    match = DAY.match(text)
    if not match:
        raise ValueError(f"rule day {text!r}: only the Mm.w.d form is known")
    month, week, weekday, at = match.groups()
    return int(month), int(week), int(weekday), seconds_of(at or "2")


def rule_of(footer):
    """(standard offset, daylight offset, first day, last day) of a POSIX TZ string; offsets east of Greenwich."""
    match = RULE.match(footer)
    if not match:
        raise ValueError(f"footer {footer!r} is not a POSIX time zone")
    _, standard, daylight_name, daylight, first, last = match.groups()
    standard = -seconds_of(standard)
    if daylight_name is None:
        return standard, standard, NO_RULE_DAY, NO_RULE_DAY
    daylight = standard + 3600 if daylight is None else -seconds_of(daylight)
    return standard, daylight, rule_day(first), rule_day(last)


def days_from_civil(year, month, day):
    year -= month <= 2
    era, of_era = divmod(year, 400)
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719468


def rule_instant(year, day):
    """Seconds since the epoch, as if local time were UTC."""
    month, week, weekday, at = day
    first = days_from_civil(year, month, 1)
    date = first + (weekday - (first + 4)) % 7 + 7 * (week - 1)
    following = days_from_civil(year + month // 12, month % 12 + 1, 1)
    while date >= following:
        date -= 7
    return date * 86400 + at


def rule_offset(rule, instant):
    standard, daylight, first, last = rule
    if first == NO_RULE_DAY:
        return standard
    days = (instant + standard) // 86400
    year = 1970 + int(days // 365.2425)
    while days_from_civil(year, 1, 1) > days:
        year -= 1
    while days_from_civil(year + 1, 1, 1) <= days:
        year += 1
    begin, end = rule_instant(year, first) - standard, rule_instant(year, last) - daylight
    inside = begin <= instant < end if begin < end else not end <= instant < begin
    return daylight if inside else standard


class Zone:
    """Offsets of one TZif file: an offset before the first transition, the transitions, the rule behind the last."""

    def __init__(self, data):
        if data[:4] != b"TZif" or data[4:5] < b"2":
            raise ValueError("not a TZif file of version 2 or later")
        counts = struct.unpack(">6l", data[20:44])
        at = 44 + counts[3] * 5 + counts[4] * 6 + counts[5] + counts[2] * 8 + counts[1] + counts[0]
        isut, isstd, leap, times, types, chars = struct.unpack(">6l", data[at + 20:at + 44])
        at += 44
        instants = struct.unpack(f">{times}q", data[at:at + 8 * times])
        at += 8 * times
        kinds = data[at:at + times]
        at += times
        offsets = [struct.unpack(">l", data[at + 6 * i:at + 6 * i + 4])[0] for i in range(types)]
        at += 6 * types + chars + leap * 12 + isstd + isut
        self.rule = rule_of(data[at:].decode("ascii").strip("\n"))
        self.initial = offsets[0]
        self.transitions = []
        for instant, kind in zip(instants, kinds):
            self.add(instant, offsets[kind])
        self.drop_what_the_rule_says()

    def last_offset(self):
        return self.transitions[-1][1] if self.transitions else self.initial

    def add(self, instant, offset):
        if instant < -(1 << 59):  # "since the big bang": the offset before everything
            self.initial = offset
        elif offset != self.last_offset():
            self.transitions.append((instant, offset))

    def drop_what_the_rule_says(self):
        while len(self.transitions) > 1:
            instant, offset = self.transitions[-1]
            before = self.transitions[-2][1]
            if rule_offset(self.rule, instant) != offset or rule_offset(self.rule, instant - 1) != before:
                return
            self.transitions.pop()

    def key(self):
        return self.initial, tuple(self.transitions), self.rule

    def since_1970(self):
        before = [o for t, o in self.transitions if t < 0]
        return (before[-1] if before else self.initial), tuple(x for x in self.transitions if x[0] >= 0), self.rule


def read_zones(root):
    zones = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] in ("posix", "right", "localtime", "posixrules", "Factory") or not path.is_file():
            continue
        data = path.read_bytes()
        if data.startswith(b"TZif"):
            zones[name] = Zone(data)
    for line in (root / "tzdata.zi").read_text().splitlines():  # names that another package holds as files
        if line.startswith("L "):
            _, target, name = line.split()
            if target in zones:
                zones.setdefault(name, zones[target])
    return zones


def read_tab(path):
    """Zone name to country codes."""
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {row[2]: set(row[0].split(",")) for row in rows}


def make_plain(zones, since_1970, countries):
    """Replaces the histories that `backzone` added by those of the zones that the plain data links to."""
    moved = {}
    for name, codes in countries.items():
        if name in since_1970 or name not in zones:
            continue
        alike = [z for z in since_1970 if z in zones and zones[z].since_1970() == zones[name].since_1970()]
        alike.sort(key=lambda z: not codes & since_1970[z])
        if alike:
            moved[zones[name].key()] = zones[alike[0]]
    for name, zone in zones.items():
        if name not in since_1970:
            zones[name] = moved.get(zone.key(), zone)


def zone_id(name):
    """FNV-1a folded to 22 bits above bit 22; value/zone.c holds the same."""
    h = 0x811C9DC5
    for byte in name.encode("ascii"):
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return 1 << 22 | (h ^ h >> 22) & (1 << 22) - 1


def c_array(declaration, items, per_line=8):
    lines = [", ".join(items[i:i + per_line]) for i in range(0, len(items), per_line)]
    return f"const {declaration} = {{\n  " + ",\n  ".join(lines) + "};\n"


def write_c(zones, version):
    tables, table_rows, instants, offsets = {}, [], [], []
    for zone in zones.values():
        if zone.key() in tables:
            continue
        tables[zone.key()] = len(table_rows)
        standard, daylight, first, last = zone.rule
        day = "{%d, %d, %d, %d}"
        table_rows.append(f"{{{len(instants)}, {len(zone.transitions)}, {zone.initial}, {standard}, {daylight}, "
                          f"{day % first}, {day % last}}}")
        instants += [f"INT64_C({t})" for t, _ in zone.transitions]
        offsets += [str(o) for _, o in zone.transitions]
    names = sorted(zones)
    ids = {zone_id(n): n for n in names}
    if len(ids) != len(names):
        raise ValueError("two zone names have one id: " + ", ".join(n for n in names if ids[zone_id(n)] != n))
    entries = [f'{{"{n}", {zone_id(n)}, {tables[zones[n].key()]}}}' for n in names]
    by_id = [str(names.index(ids[i])) for i in sorted(ids)]
    return "".join([
        "// Made by tools/pack_zones.py at build time.\n#include \"value/zone_int.h\"\n\n",
        f'const char zone_data_version[] = "{version}";\nconst uint32_t zone_count = {len(names)};\n',
        c_array("struct zone_entry zone_entries[]", entries, 3),
        c_array("uint16_t zone_entries_by_id[]", by_id, 16),
        c_array("struct zone_table zone_tables[]", table_rows, 1),
        c_array("int64_t zone_instants[]", instants),
        c_array("int32_t zone_offsets[]", offsets, 16)])


def main():
    root = pathlib.Path(sys.argv[1])
    zones = read_zones(root)
    make_plain(zones, read_tab(root / "zone1970.tab"), read_tab(root / "zone.tab"))
    version = (root / "tzdata.zi").read_text().splitlines()[0].removeprefix("# version ")
    pathlib.Path(sys.argv[2]).write_text(write_c(zones, version))


if __name__ == "__main__":
    main()
