"""LOAD CSV reads files of the import folder and nothing else."""
import os

from base import HomeCase, connect
from lib.bolt import Failure

FAILED = "Neo.ClientError.Statement.ExternalResourceFailed"


class LoadCsv(HomeCase):
    def write(self, name, text):
        (self.home / "import").mkdir(exist_ok=True)
        (self.home / "import" / name).write_text(text)

    def fails(self, bolt, url, part, code=FAILED):
        with self.assertRaises(Failure) as caught:
            bolt.run("LOAD CSV FROM $url AS row RETURN row", {"url": url})
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        self.assertIn(part, caught.exception.message)
        self.assertNotIn(str(self.home), caught.exception.message)

    def test_rows_become_lists_or_maps(self):
        self.write("people.csv", 'id,name,note\n1,Ann,"says ""hi"""\n2,B\u00f6b,\n3,"multi\nline",\\x\n')
        self.write("semi colon.csv", "a;b\r\n\r\n1;\"\"\r\n")
        with self.server(auth=False) as server, connect(server) as bolt:
            rows = bolt.run("LOAD CSV WITH HEADERS FROM 'file:///people.csv' AS r RETURN toInteger(r.id) AS id, r.name, r.note ORDER BY id").rows
            self.assertEqual(rows, [[1, "Ann", 'says "hi"'], [2, "B\u00f6b", None], [3, "multi\nline", "\\x"]])
            rows = bolt.run("LOAD CSV FROM 'file:/semi%20colon.csv' AS r FIELDTERMINATOR ';' RETURN r").rows
            self.assertEqual(rows, [[["a", "b"]], [["1", ""]]])
            done = bolt.run("LOAD CSV WITH HEADERS FROM 'file://localhost/people.csv' AS r CREATE (:Person {id: toInteger(r.id), name: r.name}) RETURN count(*) AS n")
            self.assertEqual(done.rows, [[3]])
            # One file for each row, some of them again.
            rows = bolt.run("UNWIND ['people.csv', 'semi colon.csv', 'people.csv'] AS f LOAD CSV FROM 'file:///' + replace(f, ' ', '%20') AS r RETURN f, count(*) AS n "
                            "ORDER BY f").rows
            self.assertEqual(rows, [["people.csv", 8], ["semi colon.csv", 2]])

    def test_a_large_file_streams(self):
        self.write("large.csv", "n\n" + "".join(f"{i}\n" for i in range(200_000)))
        with self.server(auth=False) as server, connect(server) as bolt:
            rows = bolt.run("LOAD CSV WITH HEADERS FROM 'file:///large.csv' AS r RETURN count(*) AS c, sum(toInteger(r.n)) AS s").rows
            self.assertEqual(rows, [[200_000, 19_999_900_000]])
            self.assertEqual(len(bolt.run("LOAD CSV FROM 'file:///large.csv' AS r RETURN r LIMIT 3").rows), 3)
            bolt.run("LOAD CSV WITH HEADERS FROM 'file:///large.csv' AS r CALL (r) { CREATE (:N {n: toInteger(r.n)}) } IN TRANSACTIONS OF 50000 ROWS")
            self.assertEqual(bolt.run("MATCH (n:N) RETURN count(n) AS n").rows, [[200_000]])

    def test_nothing_else_can_be_read(self):
        self.write("a.csv", "1\n")
        (self.home / "secret.csv").write_text("secret\n")
        os.symlink("../secret.csv", self.home / "import" / "link.csv")
        os.symlink("..", self.home / "import" / "up")
        os.mkfifo(self.home / "import" / "pipe.csv")
        self.write("broken.csv", 'a\n"b" c\n')
        self.write("latin.csv", "")
        (self.home / "import" / "latin.csv").write_bytes(b"caf\xe9\n")
        with self.server(auth=False) as server, connect(server) as bolt:
            self.fails(bolt, "file:///nothing.csv", "Couldn't load the external resource at: file:///nothing.csv")
            for url in ("file:///../secret.csv", "file:///%2e%2e/secret.csv", "file:///link.csv", "file:///up/secret.csv", "file:///", "file:///pipe.csv",
                        "file:///etc/passwd", "file:////etc/passwd", "file:///a.csv%00"):
                self.fails(bolt, url, "Couldn't load the external resource at: ")
            self.fails(bolt, "a.csv", "no protocol")
            self.fails(bolt, "http://localhost/a.csv", "files only")
            self.fails(bolt, "file://elsewhere/a.csv", "authority")
            self.fails(bolt, "file:///a.csv?x=1", "query component")
            self.fails(bolt, "file:///broken.csv", "line 2", code="Neo.ClientError.Statement.ArgumentError")
            self.fails(bolt, "file:///latin.csv", "UTF-8", code="Neo.ClientError.Statement.ArgumentError")
            self.fails(bolt, 7, "to be a String", code="Neo.ClientError.Statement.TypeError")

    def test_names_of_three_eras_and_the_switches(self):
        for name in ("server.directories.import", "dbms.directories.import"):
            folder = self.home / name.replace(".", "_")
            folder.mkdir()
            (folder / "a.csv").write_text('"a\\"b"\n')
            with self.server(auth=False, settings={name: str(folder)}) as server, connect(server) as bolt:
                self.assertEqual(bolt.run("LOAD CSV FROM 'file:///a.csv' AS r RETURN r").rows, [[['a"b']]])
        for off in ({"dbms.security.allow_csv_import_from_file_urls": "false"},):
            with self.server(auth=False, settings=off) as server, connect(server) as bolt:
                self.fails(bolt, "file:///a.csv", "allow_csv_import_from_file_urls")
        for name in ("db.import.csv.legacy_quote_escaping", "dbms.import.csv.legacy_quote_escaping"):
            self.write("b.csv", '"a\\",b\n')
            with self.server(auth=False, settings={name: "false"}) as server, connect(server) as bolt:
                self.assertEqual(bolt.run("LOAD CSV FROM 'file:///b.csv' AS r RETURN r").rows, [[["a\\", "b"]]])
