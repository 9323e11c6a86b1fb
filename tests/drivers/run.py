#!/usr/bin/env python3
"""Runs one suite through many official drivers and prints a table of drivers by cases.

tests/drivers/run.py BINARY [node|python|go|java ...]      default: every language whose tools are there
tests/drivers/run.py bolt://HOST:PORT [...]                against a server that runs already

A driver's program prints one JSON line a case: {"case", "ok", "detail", "ms"}, after {"driver": name}; {"case", "skip": why} for
a cell that is left out, with the section of the Bolt description that says why.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ.get("DRIVERS_WORK", HERE / "node_modules" / ".drivers"))
sys.path.insert(0, str(HERE.parent))
from lib.quiver import Server, npm_install  # noqa: E402


NODE_DRIVERS = ["1.7.8", "4.0.3", "4.2.3", "4.3.5", "4.4.11", "5.0.1", "5.28.3", "6.3.0"]


def node_package(version):
    """A version in a folder of its own, with its parts pinned: 5.0.1 would pull a core that does not fit."""
    parts = {} if version < "4.3" else {"neo4j-driver-core": version, "neo4j-driver-bolt-connection": version}
    return {"private": True, "dependencies": {"neo4j-driver": version, "ws": "^8.18.0"}, "overrides": parts}


def node_commands(program="suite", versions=NODE_DRIVERS):
    if shutil.which("node") is None:
        return []
    commands = []
    for version in versions:
        folder = WORK / "node" / version
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(json.dumps(node_package(version)))
        if not npm_install(folder):
            return []
        commands.append(["node", str(HERE / f"{program}.mjs"), str(folder)])
    return commands


def python_commands(program="suite"):
    python = WORK / "python/bin/python"
    if not python.exists() and subprocess.run([sys.executable, "-m", "venv", str(WORK / "python")], check=False, stdout=subprocess.DEVNULL).returncode != 0:
        return []
    there = subprocess.run([str(python), "-c", "import neo4j"], check=False, stderr=subprocess.DEVNULL).returncode == 0
    if not there and subprocess.run([str(python), "-m", "pip", "install", "--quiet", "neo4j"], check=False).returncode != 0:
        return []  # no index of packages is reached here
    return [[str(python), str(HERE / f"python/{program}.py")]]


def go_commands(program="suite"):
    if shutil.which("go") is None:
        return []
    built = WORK / f"go-{program}"
    subprocess.run(["go", "build", "-o", str(built), "." if program == "suite" else f"./{program}"], cwd=HERE / "go", check=True)
    return [[str(built)]]


def java_commands(program="Suite", source="java", shared=()):
    if shutil.which("mvn") is None or shutil.which("javac") is None:
        return []
    jars = WORK / source
    if not jars.is_dir():
        subprocess.run(["mvn", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"], cwd=HERE / source, check=True)
    files = [str(HERE / f"{source}/{program}.java"), *(str(HERE / file) for file in shared)]
    subprocess.run(["javac", "-cp", f"{jars}/*", "-d", str(jars), *files], check=True)
    version = next((p.stem.rsplit("-", 1)[1] for p in jars.glob("neo4j-java-driver-[0-9]*.jar")), "?")
    return [["java", f"-Ddriver.version={version}", "-cp", f"{jars}/*:{jars}", program]]


LANGUAGES = {"node": node_commands, "python": python_commands, "go": go_commands, "java": java_commands}


def run_suite(command, uri):
    """{case: line} of one driver, and its name."""
    done = subprocess.run(command + [uri], stdout=subprocess.PIPE, text=True, timeout=180, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    name = next((line["driver"] for line in lines if "driver" in line), " ".join(command[-2:]))
    results = {line["case"]: line for line in lines if "case" in line}
    if done.returncode != 0 and all(r.get("ok", True) for r in results.values()):
        results["(the program)"] = {"ok": False, "detail": f"ended with {done.returncode}"}
    return name, results


def print_table(results):
    cases = list(dict.fromkeys(case for _, cells in results for case in cells))
    width = max(len(case) for case in cases)
    names = [name for name, _ in results]
    print(" " * width + "  " + "  ".join(names))
    for case in cases:
        cells = []
        for name, row in results:
            cell = row.get(case)
            text = "-" if cell is None else "skip" if "skip" in cell else "ok" if cell["ok"] else "FAIL"
            cells.append(text.ljust(len(name)))
        print(case.ljust(width) + "  " + "  ".join(cells))
    for name, row in results:
        for case, cell in row.items():
            if "skip" in cell:
                print(f"left out: {name}: {case}: {cell['skip']}")
            elif not cell["ok"]:
                print(f"FAIL: {name}: {case}: {cell['detail']}")


def main():
    target, *languages = sys.argv[1:]
    WORK.mkdir(parents=True, exist_ok=True)
    commands = [command for language in languages or LANGUAGES for command in LANGUAGES[language]()]
    if not commands:
        print("none of node, python, go, java can be used here: the drivers are not run")
        return 77
    with contextlib.ExitStack() as stack:
        uri = target if "://" in target else stack.enter_context(Server(target, auth=False)).uri
        results = [run_suite(command, uri) for command in commands]
    print_table(results)
    cells = [cell for _, row in results for cell in row.values()]
    failed = sum(1 for cell in cells if "skip" not in cell and not cell["ok"])
    skipped = sum(1 for cell in cells if "skip" in cell)
    print(f"{len(cells) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
