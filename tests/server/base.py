"""What the tests of this folder share: a home folder for each, and the binary as a command."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from lib.bolt import Bolt
from lib.quiver import Server, free_port

BINARY = os.environ["QUIVER"]


class HomeCase(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="quiver-server-"))
        self.bolt_port, self.http_port = free_port(), free_port()
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.addCleanup(self.quiver, "stop")

    def ports(self):
        return [f"--set=server.bolt.listen_address=127.0.0.1:{self.bolt_port}", f"--set=server.http.listen_address=127.0.0.1:{self.http_port}"]

    def quiver(self, *words, **options):
        """Runs the binary to its end; options as of subprocess.run."""
        return subprocess.run([BINARY, *words, "--home", str(self.home)], capture_output=True, text=True, timeout=60, check=False, **options)

    def write_conf(self, text, name="neo4j.conf"):
        (self.home / "conf").mkdir(exist_ok=True)
        (self.home / "conf" / name).write_text(text)

    def log(self):
        return (self.home / "logs" / "neo4j.log").read_text()

    def log_with(self, line, seconds=10):
        """The log once `line` is in it: a thread of its own writes it, a moment after the server answers."""
        deadline = time.monotonic() + seconds
        while line not in self.log() and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.log()

    def server(self, **options):
        """A server on this home folder, in a `with`."""
        return Server(BINARY, home=self.home, **options)


def connect(server, user=None, password=None):
    return Bolt(server.bolt_port, user, password)
