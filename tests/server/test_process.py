"""Start, stop, status; who holds a home folder; what the log says."""
import os
import re
import signal
import subprocess
import time

from base import BINARY, HomeCase
from lib.quiver import free_port

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000"


class Process(HomeCase):
    def test_it_runs_in_the_background_until_it_is_stopped(self):
        started = self.quiver("start", *self.ports())
        self.assertEqual(started.returncode, 0, started.stderr)
        self.assertRegex(started.stdout, rf"^Starting Neo4j\.\nStarted neo4j \(pid:\d+\)\. It is available at http://127\.0\.0\.1:{self.http_port}/\n")
        pid = int((self.home / "run" / "neo4j.pid").read_text())

        status = self.quiver("status")
        self.assertEqual((status.returncode, status.stdout), (0, f"Neo4j is running at pid {pid}\n"))
        again = self.quiver("start", *self.ports())
        self.assertEqual((again.returncode, again.stdout), (0, f"Neo4j is already running (pid:{pid}).\n"))

        stopped = self.quiver("stop")
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        self.assertRegex(stopped.stdout, r"^Stopping Neo4j\.+ stopped\.\n$")
        status = self.quiver("status")
        self.assertEqual((status.returncode, status.stdout), (3, "Neo4j is not running.\n"))
        self.assertFalse((self.home / "run" / "neo4j.pid").exists())

    def test_restart_gives_another_process(self):
        self.quiver("start", *self.ports())
        first = (self.home / "run" / "neo4j.pid").read_text()
        restarted = self.quiver("restart", *self.ports())
        self.assertEqual(restarted.returncode, 0, restarted.stderr)
        self.assertNotEqual((self.home / "run" / "neo4j.pid").read_text(), first)

    def test_a_signal_stops_it_within_seconds(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.server() as server:
                begun = time.monotonic()
                server.process.send_signal(number)
                self.assertEqual(server.process.wait(10), 0)
                self.assertLess(time.monotonic() - begun, 5)

    def test_a_second_server_on_the_same_home_is_refused_by_name(self):
        with self.server() as server:
            second = self.quiver("console", "--set=server.bolt.listen_address=127.0.0.1:0", "--set=server.http.listen_address=127.0.0.1:0")
            self.assertEqual(second.returncode, 1)
            self.assertIn(f"process {server.process.pid} on {os.uname().nodename}", second.stderr)

    def test_a_second_server_on_the_same_data_is_refused_by_name(self):
        with self.server() as server:
            other = self.home / "other"
            second = subprocess.run([BINARY, "console", "--home", str(other), f"--set=server.directories.data={self.home}/data"],
                                    capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(second.returncode, 1)
            self.assertIn(str(server.process.pid), second.stderr)
            self.assertIn(os.uname().nodename, second.stderr)

    def test_a_killed_server_leaves_nothing_in_the_way(self):
        with self.server() as server:
            server.kill()
            self.assertEqual(self.quiver("status").returncode, 3)
        with self.server():
            pass

    def test_a_port_that_is_taken_is_told(self):
        with self.server() as server:
            second = subprocess.run([BINARY, "console", "--home", str(self.home / "other"), f"--set=server.bolt.listen_address=127.0.0.1:{server.bolt_port}"],
                                    capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(second.returncode, 1)
            self.assertIn(f"server.bolt.listen_address: cannot listen on '127.0.0.1:{server.bolt_port}'", second.stderr)
            for setting in "discovery", "cluster", "cluster.raft":
                self.assertIn(f"server.{setting}.listen_address: cannot listen on '127.0.0.1:{server.bolt_port}'", self.taken(setting, server))

    def taken(self, setting, server):
        """What a core says that is to listen where another server does, before it has met anybody."""
        ports = {name: free_port() for name in ("discovery", "cluster", "cluster.raft")} | {setting: server.bolt_port}
        return subprocess.run([BINARY, "console", "--home", str(self.home / setting), "--set=dbms.mode=CORE",
                               "--set=dbms.cluster.minimum_initial_system_primaries_count=1", f"--set=dbms.cluster.discovery.endpoints=127.0.0.1:{ports['discovery']}",
                               *(f"--set=server.{name}.listen_address=127.0.0.1:{port}" for name, port in ports.items())],
                              capture_output=True, text=True, timeout=30, check=False).stderr

    def test_the_log_tells_the_milestones_in_order(self):
        with self.server() as server:
            pass
        for text in (self.log(), server.console()):
            lines = text.splitlines()
            for line in lines:
                self.assertRegex(line, rf"^{STAMP} (DEBUG|INFO |WARN |ERROR) \S")
            told = [re.sub(rf"^{STAMP} ", "", line) for line in lines]
            milestones = ["INFO  Starting...", f"INFO  Bolt enabled on 127.0.0.1:{server.bolt_port}.",
                          "INFO  Started.", f"INFO  Remote interface available at http://127.0.0.1:{server.http_port}/", "INFO  Stopping...",
                          "INFO  Stopped."]
            self.assertEqual([line for line in told if line in milestones], milestones)

    def test_words_that_mean_nothing_are_told(self):
        wrong = self.quiver("begin")
        self.assertEqual(wrong.returncode, 64)
        self.assertIn("no command 'begin'", wrong.stderr)
        nowhere = subprocess.run([BINARY, "start"], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(nowhere.returncode, 64)
        self.assertIn("--home", nowhere.stderr)

    def test_help_fits_a_screen(self):
        for words in (["help"], ["admin", "help"]):
            text = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=30, check=True).stdout
            self.assertLess(len(text.splitlines()), 25)
            self.assertLess(max(map(len, text.splitlines())), 121)
