"""Databases and what tools ask about a server."""
import time

from base import HomeCase, connect
from lib.bolt import Failure


class Databases(HomeCase):
    def test_data_outlives_a_stop_and_a_kill(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            bolt.run("CREATE (:City {name: 'Uppsala'})-[:ROAD {km: 70}]->(:City {name: 'Stockholm'})")
        with self.server(auth=False) as server, connect(server) as bolt:
            self.assertEqual(bolt.run("MATCH (a:City)-[r:ROAD]->(b) RETURN a.name, r.km, b.name").rows, [["Uppsala", 70, "Stockholm"]])
            bolt.run("CREATE (:City {name: 'Lund'})")
            server.kill()
        with self.server(auth=False) as server, connect(server) as bolt:
            self.assertEqual(bolt.run("MATCH (c:City) RETURN count(c)").rows, [[3]])

    def test_tools_learn_what_the_server_is(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            names = [row["name"] for row in bolt.run("SHOW DATABASES", db="system").dicts()]
            self.assertEqual(sorted(names), ["neo4j", "system"])
            self.assertEqual(bolt.run("CALL dbms.components() YIELD name, versions, edition", db="system").columns, ["name", "versions", "edition"])
            self.assertEqual(bolt.run("CALL db.ping()").rows, [[True]])
            bolt.run("CREATE (:A {k: 1})-[:T]->()")
            self.assertEqual(bolt.run("CALL db.labels() YIELD label RETURN label").rows, [["A"]])

    def test_a_write_in_a_read_transaction_is_refused(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            with self.assertRaises(Failure) as caught:
                bolt.run("CREATE ()", mode="r")
            self.assertEqual(caught.exception.code, "Neo.ClientError.Statement.AccessMode")

    def test_bookmarks_are_read_back_and_wrong_ones_refused(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            bookmark = bolt.run("CREATE ()").summary["bookmark"]
            self.assertEqual(bolt.run("MATCH (n) RETURN count(n)", bookmarks=[bookmark]).rows, [[1]])
            with self.assertRaises(Failure) as caught:
                bolt.run("RETURN 1", bookmarks=["nonsense"])
            self.assertEqual(caught.exception.code, "Neo.ClientError.Transaction.InvalidBookmark")

    def test_an_unknown_database_is_told(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            for call in (lambda: bolt.run("RETURN 1", db="nowhere"), lambda: connect(server).route("nowhere")):
                with self.assertRaises(Failure) as caught:
                    call()
                self.assertEqual(caught.exception.code, "Neo.ClientError.Database.DatabaseNotFound")

    def test_schema_is_made_shown_and_dropped(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            self.assertEqual(bolt.run("CREATE CONSTRAINT k FOR (n:N) REQUIRE n.k IS UNIQUE").summary["stats"]["constraints-added"], 1)
            self.assertNotIn("stats", bolt.run("CREATE CONSTRAINT k IF NOT EXISTS FOR (n:N) REQUIRE n.k IS UNIQUE").summary)
            self.assertEqual(bolt.run("SHOW CONSTRAINTS YIELD name, labelsOrTypes AS l, properties").rows, [["k", ["N"], ["k"]]])
            bolt.run("CREATE (:N {k: 1})")
            with self.assertRaises(Failure) as caught:
                bolt.run("CREATE (:N {k: 1})")
            self.assertEqual(caught.exception.code, "Neo.ClientError.Schema.ConstraintValidationFailed")
            self.assertEqual(bolt.run("DROP CONSTRAINT k").summary["stats"]["constraints-removed"], 1)
            self.assertEqual(bolt.run("SHOW CONSTRAINTS").rows, [])
            bolt.run("CREATE INDEX i FOR (n:N) ON (n.k)")
            self.assertEqual(bolt.run("SHOW INDEXES YIELD name ORDER BY name LIMIT 1").rows, [["i"]])
            bolt.run("DROP INDEX i")
            self.assertEqual(bolt.run("SHOW INDEXES WHERE name = 'i'").rows, [])


def make(bolt, *names):
    for name in names:
        bolt.run(f"CREATE DATABASE {name} WAIT", db="system")


class SeveralDatabases(HomeCase):
    def refused(self, code, call):
        with self.assertRaises(Failure) as caught:
            call()
        self.assertEqual(caught.exception.code, code)

    def test_a_client_chooses_among_databases(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            told = bolt.run("CREATE DATABASE Films WAIT 10 SECONDS", db="system")
            self.assertEqual(told.columns, ["address", "state", "message", "success"])
            self.assertEqual([row[1:] for row in told.rows], [["CaughtUp", "caught up", True]])
            self.assertEqual(told.summary["stats"]["system-updates"], 1)
            bolt.run("CREATE (:Film {title: 'Persona'})", db="films")
            self.assertEqual(bolt.run("MATCH (f:Film) RETURN f.title", db="FILMS").rows, [["Persona"]])
            self.assertEqual(bolt.run("MATCH (f:Film) RETURN f.title").rows, [])
            shown = bolt.run("SHOW DATABASES YIELD name, requestedStatus, currentStatus, default RETURN *", db="system").dicts()
            self.assertEqual([(r["name"], r["requestedStatus"], r["currentStatus"], r["default"]) for r in shown],
                             [("films", "online", "online", False), ("neo4j", "online", "online", True), ("system", "online", "online", False)])

    def test_a_stopped_database_says_so_until_it_is_started(self):
        with self.server(auth=False) as server, connect(server) as bolt:
            make(bolt, "films")
            bolt.run("CREATE (:Film)", db="films")
            bolt.run("STOP DATABASE films WAIT", db="system")
            self.refused("Neo.TransientError.General.DatabaseUnavailable", lambda: bolt.run("RETURN 1", db="films"))
            self.assertEqual(bolt.run("SHOW DATABASE films YIELD requestedStatus, currentStatus", db="system").rows, [["offline", "offline"]])
            server.kill()
        with self.server(auth=False) as server, connect(server) as bolt:
            self.refused("Neo.TransientError.General.DatabaseUnavailable", lambda: bolt.run("RETURN 1", db="films"))
            bolt.run("START DATABASE films WAIT", db="system")
            self.assertEqual(bolt.run("MATCH (f:Film) RETURN count(f)", db="films").rows, [[1]])

    def test_a_dropped_database_takes_its_files_and_its_sessions_along(self):
        with self.server(auth=False) as server, connect(server) as bolt, connect(server) as other:
            make(bolt, "films")
            other.begin(db="films")
            other.run("CREATE (:Film)")
            bolt.run("DROP DATABASE films WAIT", db="system")
            self.refused("Neo.ClientError.Database.DatabaseNotFound", lambda: other.run("RETURN 1"))
            self.refused("Neo.ClientError.Database.DatabaseNotFound", lambda: bolt.run("RETURN 1", db="films"))
            self.assertEqual(sorted(f.name for f in (self.home / "data/databases").iterdir()), ["neo4j", "system"])
            make(bolt, "films")
            self.assertEqual(bolt.run("MATCH (f) RETURN count(f)", db="films").rows, [[0]])

    def test_a_users_home_database_is_where_statements_go_that_name_none(self):
        with self.server(password="a good secret") as server:
            with connect(server, "neo4j", "a good secret") as admin:
                make(admin, "films")
                admin.run("CREATE USER ann SET PASSWORD 'secret of ann' CHANGE NOT REQUIRED SET HOME DATABASE Films", db="system")
            with connect(server, "ann", "secret of ann") as ann, connect(server, "neo4j", "a good secret") as admin:
                ann.run("CREATE (:Film)")
                self.assertEqual(admin.run("MATCH (f) RETURN count(f)", db="films").rows, [[1]])
                self.assertEqual(admin.run("MATCH (f) RETURN count(f)").rows, [[0]])
                self.assertEqual(ann.route()["db"], "films")
                self.assertEqual([row[0] for row in ann.run("SHOW HOME DATABASE", db="system").rows], ["films"])
                self.assertEqual([row[0] for row in ann.run("SHOW DEFAULT DATABASE", db="system").rows], ["neo4j"])
                admin.run("DROP DATABASE films WAIT", db="system")
                self.refused("Neo.ClientError.Database.DatabaseNotFound", lambda: ann.run("RETURN 1"))

    def test_names_limits_and_places_are_checked(self):
        with self.server(auth=False, settings={"dbms.max_databases": "3"}) as server, connect(server) as bolt:
            def order(text):
                return lambda: bolt.run(text, db="system")
            self.refused("Neo.ClientError.Statement.NotSystemDatabaseError", lambda: bolt.run("CREATE DATABASE films"))
            self.refused("Neo.ClientError.Statement.ArgumentError", order("CREATE DATABASE `system-x`"))
            self.refused("Neo.ClientError.Database.ExistingDatabaseFound", order("CREATE DATABASE neo4j"))
            self.refused("Neo.ClientError.Database.DatabaseNotFound", order("DROP DATABASE films"))
            make(bolt, "films")
            self.refused("Neo.DatabaseError.Database.DatabaseLimitReached", order("CREATE DATABASE books"))
            bolt.begin(db="system")
            self.refused("Neo.ClientError.Statement.UnsupportedAdministrationCommand", lambda: bolt.run("DROP DATABASE films WAIT"))

    def test_a_kill_at_any_moment_leaves_what_was_promised(self):
        for life in range(8):
            with self.server(auth=False) as server, connect(server) as bolt:
                for text in (f"CREATE DATABASE keep{life} WAIT", "CREATE OR REPLACE DATABASE films WAIT"):
                    bolt.run(text, db="system")
                bolt.run("CREATE (:Kept)", db=f"keep{life}")
                bolt.send(0x10, "DROP DATABASE films" if life % 2 else "CREATE OR REPLACE DATABASE films", {}, {"db": "system"})
                bolt.send(0x3F, {"n": -1})
                time.sleep(life * 0.002)
                server.kill()
        with self.server(auth=False) as server, connect(server) as bolt:
            names = [row[0] for row in bolt.run("SHOW DATABASES YIELD name RETURN name", db="system").rows]
            self.assertEqual([n for n in names if n.startswith("keep")], [f"keep{life}" for life in range(8)])
            self.assertEqual(len(list((self.home / "data/databases").iterdir())), len(names))
            for life in range(8):
                self.assertEqual(bolt.run("MATCH (k:Kept) RETURN count(k)", db=f"keep{life}").rows, [[1]])
