"""Databases and what tools ask about a server."""
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
