#!/usr/bin/env python3
"""Run the text cases of tests/cypher/cases on the engine in one process.

usage: cases.py CYPHER_RUN [-u] [-w] [-e] [-i] [word ...]

A file holds cases, each a statement, its answer behind `---`, and an empty line. `# graph` at the head of a case empties the database first;
`# parameters {..}` sets parameters. An answer is one line a row, `|` between the values, `!NAME` for an error (with a part of its message behind a blank), `+x=n`
for effects, nothing for no rows. `# any order` compares rows as a bag. -u writes the answers that came into the files: read the difference before you commit it.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from tck_run import Engine  # noqa: E402


def read(path):
    """Cases as (directives, statement lines, answer lines)."""
    for block in path.read_text().split("\n\n"):
        lines = [l for l in block.split("\n") if l.strip()]
        if not lines:
            continue
        directives = [l for l in lines if l.startswith("# ")]
        rest = [l for l in lines if not l.startswith("# ")]
        if "---" in rest:
            at = rest.index("---")
            yield directives, rest[:at], rest[at + 1:]
        else:
            yield directives, rest, []


def answer(engine, directives, statement):
    for d in directives:
        if d == "# graph":
            engine.send("R")
        elif d.startswith("# parameters"):
            engine.send("P" + d[len("# parameters"):].strip())
    got = engine.ask("\n".join(statement))
    if got.error:
        return [f"!{got.error[0]} {got.error[2]}".rstrip()]
    rows = [" | ".join(r) for r in got.rows]
    return rows + [f"+{k}={v}" for k, v in got.stats.items()]


def fits(wanted, got, directives):
    if len(wanted) == 1 and wanted[0].startswith("!") and len(got) == 1:
        return got[0].startswith(wanted[0])
    if "# any order" in directives:
        return sorted(wanted) == sorted(got)
    return wanted == got


def main():
    flags = [a for a in sys.argv[1:] if a.startswith("-")]
    arguments = [a for a in sys.argv[1:] if not a.startswith("-")]
    engine = Engine(arguments[0], [o for f, o in (("-e", "E"), ("-w", "W"), ("-i", "I")) if f in flags])
    cases = failed = 0
    for path in sorted((pathlib.Path(__file__).parent / "cases").glob("*.test")):
        if arguments[1:] and not any(w in path.name for w in arguments[1:]):
            continue
        engine.send("R")
        engine.send("P{}")
        out = []
        for directives, statement, wanted in read(path):
            got = answer(engine, directives, statement)
            cases += 1
            if not fits(wanted, got, directives):
                failed += 1
                if "-u" not in flags:
                    print(f"{path.name}: {' '.join(statement)}\n    wanted {wanted}\n    got    {got}")
                wanted = got
            out.append("\n".join(directives + statement + ["---"] + wanted))
        if "-u" in flags:
            path.write_text("\n\n".join(out) + "\n")
    print(f"{cases} cases, {failed} {'changed' if '-u' in flags else 'failed'}")
    return 1 if failed and "-u" not in flags else 0


if __name__ == "__main__":
    sys.exit(main())
