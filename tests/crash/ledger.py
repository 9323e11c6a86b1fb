"""Runs that add up: one line each in a file of docs/develop, which says where the next one goes on.

    first=1 next=301 rounds=300 commit=18ee0f2 acknowledged=41233 result=ok
"""
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def next_seed(path):
    """The seed behind the last line's; 1 where there is none."""
    found = re.findall(r"\bnext=(\d+)", path.read_text()) if path.exists() else []
    return int(found[-1]) if found else 1


def commit():
    """The last commit that touched the server, with + where its files differ from it; unknown without git or its history."""
    if shutil.which("git") is None:
        return "unknown"

    def git(*words):
        return subprocess.run(["git", *words, "--", "src", "cli"], cwd=ROOT, capture_output=True, text=True, check=False)
    said = git("log", "-1", "--format=%h").stdout.strip()
    return said + ("+" if git("diff", "--quiet", "HEAD").returncode == 1 else "") if said else "unknown"


def enter(path, **fields):
    with open(path, "a", encoding="utf-8") as f:
        f.write(" ".join(f"{name}={value}" for name, value in fields.items()) + "\n")
