"""What an article shows, line by line, against real servers: each line is a function, in the order of the article.

README.md beside this has a row for each line, green or red. A line that is not what its row says is a failure: so is a red one that has
become green, whose row is to be changed then.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from lib.bolt import Bolt, Failure  # noqa: E402
from lib.quiver import free_port  # noqa: E402

PORTS = ("discovery", "transaction", "raft", "bolt", "http", "routing")


# Of a server of a cluster, whose host others are on, too. For str.format with `members` and the ports.
MEMBER = """causal_clustering.initial_discovery_members={members}
causal_clustering.discovery_listen_address=:{discovery}
causal_clustering.transaction_listen_address=:{transaction}
causal_clustering.raft_listen_address=:{raft}
dbms.routing.listen_address=:{routing}
dbms.connector.bolt.listen_address=:{bolt}
dbms.connector.http.listen_address=:{http}
dbms.memory.pagecache.size=64m
"""


class Host:
    """A server as the articles have it: unpacked in a folder, with bin/neo4j and conf/neo4j.conf."""

    def __init__(self, binary, folder):
        self.home = folder
        self.port = {name: free_port() for name in PORTS}
        self.env = dict(os.environ)
        (folder / "bin").mkdir(parents=True)
        (folder / "conf").mkdir()
        shutil.copy2(binary, folder / "bin/neo4j")

    def configure(self, text):
        (self.home / "conf/neo4j.conf").write_text(text, encoding="utf-8")

    def neo4j(self, word, timeout_s=60):
        return self.run(word, timeout_s=timeout_s)

    def run(self, *words, timeout_s=60):
        return subprocess.run([str(self.home / "bin/neo4j"), *words], capture_output=True, text=True, timeout=timeout_s, check=False, env=self.env,
                              cwd="/")

    def launch(self):
        """Without waiting."""
        with open(self.home / "start.out", "ab") as out:
            return subprocess.Popen([str(self.home / "bin/neo4j"), "start"], stdout=out, stderr=out, env=self.env, cwd="/")

    def pid(self):
        found = list(self.home.glob("run/*.pid"))
        return int(found[0].read_text().split()[0]) if found else None

    def kill(self):
        """kill -9"""
        pid = self.pid()
        os.kill(pid, 9)
        until(lambda: has_ended(pid))

    def log(self):
        path = self.home / "logs/neo4j.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def bolt(self, user=None, password=None, version=(3, 0)):
        return Bolt(self.port["bolt"], user, password, timeout_s=10, version=version)

    def ask(self, text, parameters=None, version=(3, 0), **extra):
        with self.bolt(version=version) as bolt:
            return bolt.run(text, parameters, **extra)

    def address(self, scheme="bolt"):
        return f"{scheme}://localhost:{self.port[scheme]}"


def has_ended(pid):
    """Also one that nobody has waited for."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def until(condition, timeout_s=30):
    """What it gives, once that is something."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            found = condition()
        except (OSError, Failure, AssertionError):
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.02)


def assert_lines(text, *expressions):
    """Each is found, one behind the other."""
    at = 0
    for expression in expressions:
        found = re.compile(expression, re.M).search(text, at)
        assert found, f"no line like {expression!r} in what follows:\n{text[at:][-3000:]}"
        at = found.end()


class Article:
    """`with article.hosts(3) as hosts`; `@article.line("S4-01", "what is shown")` marks what follows."""

    def __init__(self, name):
        self.name, self.lines, self.binary, self.all = name, [], None, []

    def line(self, row, what):
        def add(function):
            self.lines.append((row, what, function))
            return function
        return add

    def host(self):
        self.all.append(Host(self.binary, self.folder / f"server-{len(self.all) + 1}"))
        return self.all[-1]

    def told(self):
        """{row: "green" or "red"} as README.md has it."""
        rows = re.findall(r"^\| (S\d+-\d+[a-z]?) \| (green|red) \|", (HERE / "README.md").read_text(), re.M)
        return {row: state for row, state in rows if row.startswith(self.name)}

    def run(self, world):
        told, wrong = self.told(), 0
        for row, what, function in self.lines:
            began, why = time.monotonic(), ""
            try:
                function(world)
                state = "green"
            except Exception as problem:  # whatever it is, the line is not as the article has it
                state, why = "red", "".join(traceback.format_exception_only(problem)).strip()[-1500:]
            as_told = told.pop(row, None)
            mark = "" if state == as_told else f"   <- README.md says {as_told}"
            wrong += bool(mark)
            print(f"{state:5} {row} {what} ({time.monotonic() - began:.1f} s){mark}", flush=True)
            if why and mark:
                print("      " + why.replace("\n", "\n      "), flush=True)
        for row in told:
            print(f"README.md has a row {row} that nothing plays")
        return 1 if wrong or told else 0

    def main(self, world):
        self.binary = str(pathlib.Path(sys.argv[1]).resolve())
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"quiver-{self.name}-"))
        try:
            code = self.run(world)
        finally:
            for host in self.all:
                host.neo4j("stop")
        if code == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        return code
