"""The shell, from standard input and the command line."""
import socket
import subprocess
import threading

from base import BINARY, HomeCase


class Shell(HomeCase):
    def shell(self, server, *words, text=None):
        return subprocess.run([BINARY, "shell", "-a", f"bolt://127.0.0.1:{server.bolt_port}", *words], input=text, capture_output=True, text=True, timeout=60,
                              check=False)

    def test_a_statement_of_the_command_line(self):
        with self.server(auth=False) as server:
            out = self.shell(server, "RETURN 1 AS one, 'x' AS x, [1.0, null] AS l")
            self.assertEqual((out.returncode, out.stdout, out.stderr), (0, 'one, x, l\n1, "x", [1.0, NULL]\n', ""))

    def test_tables_for_people(self):
        with self.server(auth=False) as server:
            out = self.shell(server, "--format", "verbose", "CREATE (n:City {name: 'Lund'}) RETURN n.name AS name, n")
            self.assertIn('| "Lund" | (:City {name: "Lund"}) |', out.stdout)
            self.assertIn("\n1 row\nready to start consuming query after ", out.stdout)
            self.assertTrue(out.stdout.endswith("Added 1 nodes, Set 1 properties, Added 1 labels\n"), out.stdout)

    def test_a_script_with_transactions_and_parameters(self):
        script = """
            // a script
            :param {names: ['a', 'b']}
            :param n => 1 + 1
            :begin
            UNWIND $names AS name CREATE (:T {name: name});
            :rollback
            MATCH (t:T) RETURN count(t) AS none;
            :begin
            CREATE (:T {n: $n});
            :commit
            MATCH (t:T) RETURN t.n AS n, 'a;b' AS s"""
        with self.server(auth=False) as server:
            out = self.shell(server, text=script)
            self.assertEqual((out.returncode, out.stdout, out.stderr), (0, 'none\n0\nn, s\n2, "a;b"\n', ""))

    def test_the_first_error_ends_a_script_unless_told_otherwise(self):
        script = "RETURN 1 AS a; RETURN x; RETURN 2 AS b;"
        with self.server(auth=False) as server:
            out = self.shell(server, text=script)
            self.assertEqual((out.returncode, out.stdout), (1, "a\n1\n"))
            self.assertIn("Variable `x` not defined", out.stderr)
            out = self.shell(server, "--fail-at-end", text=script)
            self.assertEqual((out.returncode, out.stdout), (1, "a\n1\nb\n2\n"))

    def test_logging_in(self):
        with self.server(password="a good secret") as server:
            self.assertEqual(self.shell(server, "-u", "neo4j", "-p", "a good secret", "RETURN 1 AS a").stdout, "a\n1\n")
            wrong = self.shell(server, "-u", "neo4j", "-p", "wrong", "RETURN 1 AS a")
            self.assertEqual(wrong.returncode, 1)
            self.assertIn("unauthorized due to authentication failure", wrong.stderr)

    def test_an_address_that_is_not_bolts_or_has_no_tls(self):
        with self.server(auth=False) as server:
            out = self.shell(server, "-a", f"bolt://127.0.0.1:{server.http_port}", "RETURN 1")
            self.assertIn(f"127.0.0.1:{server.http_port} speaks HTTP: give the address of its Bolt port", out.stderr)
            out = self.shell(server, "-a", f"bolt+s://127.0.0.1:{server.bolt_port}", "RETURN 1")
            self.assertIn(f"TLS with 127.0.0.1:{server.bolt_port} failed: ", out.stderr)
            self.assertIn("If the server has no TLS, use bolt:// or neo4j://", out.stderr)

    def test_somebody_who_does_not_speak_bolt(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            threading.Thread(target=lambda: other.accept()[0].close(), daemon=True).start()
            out = subprocess.run([BINARY, "shell", "-a", f"bolt://127.0.0.1:{other.getsockname()[1]}", "RETURN 1"], capture_output=True, text=True,
                                 timeout=30, check=False)
        self.assertEqual(out.returncode, 1)
        self.assertIn("closed the connection instead of answering: is it the address of a Bolt port", out.stderr)

    def test_nobody_there(self):
        out = subprocess.run([BINARY, "shell", "-a", "bolt://127.0.0.1:1", "RETURN 1"], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(out.returncode, 1)
        self.assertIn("Unable to connect to 127.0.0.1:1", out.stderr)
