#!/usr/bin/env python3
"""The driver suite through the official Python driver: suite.py URI. One JSON line a case; see ../README.md."""
import json
import sys
import time
import traceback

import neo4j
from neo4j import GraphDatabase, exceptions
from neo4j.spatial import CartesianPoint, WGS84Point
from neo4j.time import Date, DateTime, Duration, Time

CASES = {}


def case(name):
    return lambda function: CASES.setdefault(name, function)


def echo(session, value):
    return session.run("RETURN $x AS x", x=value).single()["x"]


@case("connect")
def connect(driver, uri):
    driver.verify_connectivity()
    assert driver.get_server_info().agent.startswith("Neo4j/")


@case("types")
def types(driver, uri):
    values = [None, True, False, 0, -1, 2**63 - 1, -(2**63), 1.5, -0.0, float("inf"), "", "text \u00e9 \U0001f600", b"\x00\x01\xff", [], [1, [2, None]],
              {}, {"a": {"b": [1]}}, Date(2024, 2, 29), Date(1, 1, 1), Time(1, 2, 3, 4), DateTime(2024, 2, 29, 1, 2, 3, 4), Duration(months=1, days=2, seconds=3, nanoseconds=4),
              CartesianPoint((1.5, 2.5)), CartesianPoint((1.0, 2.0, 3.0)), WGS84Point((12.5, 41.9))]
    with driver.session() as session:
        for value in values:
            assert echo(session, value) == value, f"{value!r} came back as {echo(session, value)!r}"
        nan = echo(session, float("nan"))
        assert nan != nan


@case("graph types")
def graph_types(driver, uri):
    with driver.session() as session:
        node, rel, path = session.run("CREATE p = (a:DriverTest:Other {n: 1})-[r:REL {w: 2.5}]->(b:DriverTest) RETURN a, r, p").single().values()
        assert set(node.labels) == {"DriverTest", "Other"} and node["n"] == 1 and node.element_id
        assert rel.type == "REL" and rel["w"] == 2.5 and rel.start_node.element_id == node.element_id
        assert len(path) == 1 and path.start_node == node
        session.run("MATCH (n:DriverTest) DETACH DELETE n").consume()


@case("auto-commit transaction")
def auto_commit(driver, uri):
    with driver.session() as session:
        counters = session.run("CREATE (:DriverTest {n: 1}), (:DriverTest)").consume().counters
        assert counters.nodes_created == 2 and counters.properties_set == 1 and counters.labels_added == 2
        assert session.run("MATCH (n:DriverTest) DELETE n").consume().counters.nodes_deleted == 2


@case("notifications")
def notifications(driver, uri):
    query = "MATCH (a:NoSuchLabel), (b) RETURN id(a), b"

    def heard(**settings):
        with driver.session(**settings) as session:
            return session.run(query).consume()

    summary = heard()
    codes = sorted(n.code.split(".")[-1] for n in summary.summary_notifications)
    assert codes == ["CartesianProduct", "FeatureDeprecationWarning", "UnknownLabelWarning"], codes
    assert {s.gql_status for s in summary.gql_status_objects} >= {"01N01", "01N50", "03N90"}
    assert not heard(notifications_min_severity="OFF").summary_notifications
    left = heard(notifications_disabled_classifications=["PERFORMANCE", "DEPRECATION"]).summary_notifications
    assert [n.code.split(".")[-1] for n in left] == ["UnknownLabelWarning"], left


@case("explicit transaction")
def explicit(driver, uri):
    with driver.session() as session:
        tx = session.begin_transaction()
        tx.run("CREATE (:DriverTest)")
        assert tx.run("MATCH (n:DriverTest) RETURN count(n)").single()[0] == 1
        tx.rollback()
        with session.begin_transaction() as tx:
            one, two = tx.run("UNWIND range(1, 3) AS x RETURN x"), tx.run("UNWIND range(4, 6) AS x RETURN x")
            assert [r[0] for r in two] == [4, 5, 6] and [r[0] for r in one] == [1, 2, 3]
            tx.run("CREATE (:DriverTest)")
            tx.commit()
        assert session.run("MATCH (n:DriverTest) WITH n, 1 AS one DELETE n RETURN count(one)").single()[0] == 1
        assert session.last_bookmarks().raw_values


@case("managed transaction")
def managed(driver, uri):
    with driver.session() as session:
        session.execute_write(lambda tx: tx.run("CREATE (:DriverTest {n: 7})").consume())
        assert session.execute_read(lambda tx: tx.run("MATCH (n:DriverTest) RETURN n.n").single()[0]) == 7
        session.execute_write(lambda tx: tx.run("MATCH (n:DriverTest) DELETE n").consume())
        try:
            session.execute_read(lambda tx: tx.run("CREATE (:DriverTest)").consume())
            raise AssertionError("a write in read mode went through")
        except exceptions.ClientError as error:
            assert error.code == "Neo.ClientError.Statement.AccessMode", error.code


@case("failure and recovery")
def failure(driver, uri):
    with driver.session() as session:
        for query, code in [("RETURN", "Neo.ClientError.Statement.SyntaxError"), ("RETURN 1/0", "Neo.ClientError.Statement.ArithmeticError"),
                            ("RETURN $missing", "Neo.ClientError.Statement.ParameterMissing")]:
            try:
                session.run(query).consume()
                raise AssertionError(f"{query} went through")
            except exceptions.Neo4jError as error:
                assert error.code == code, f"{query}: {error.code}"
            assert echo(session, 1) == 1
        tx = session.begin_transaction()
        try:
            tx.run("RETURN 1/0").consume()
        except exceptions.Neo4jError:
            pass
        tx.close()
        assert echo(session, 2) == 2


@case("fetch size 1")
def fetch_size(driver, uri):
    with driver.session(fetch_size=1) as session:
        assert [r[0] for r in session.run("UNWIND range(1, 50) AS x RETURN x")] == list(range(1, 51))
        # The driver fetches what is left, one by one, before the next query.
        assert next(iter(session.run("UNWIND range(1, 5000) AS x RETURN x")))[0] == 1
        assert echo(session, 3) == 3


@case("20 MB parameter")
def large(driver, uri):
    with driver.session() as session:
        assert session.run("RETURN size($x) AS n", x="x" * 20_000_000).single()[0] == 20_000_000


@case("routing scheme")
def routing(driver, uri):
    with GraphDatabase.driver(uri.replace("bolt://", "neo4j://")) as routed:
        with routed.session(database="neo4j") as session:
            assert echo(session, 1) == 1
            session.execute_write(lambda tx: tx.run("CREATE (n:DriverTest) DELETE n").consume())
        records, summary, keys = routed.execute_query("RETURN 1 AS one")
        assert keys == ["one"] and records[0]["one"] == 1 and summary.database == "neo4j"


@case("database names")
def databases(driver, uri):
    with driver.session(database="system") as session:
        names = {r["name"] for r in session.run("SHOW DATABASES YIELD name")}
        assert {"system", "neo4j"} <= names, names
    try:
        driver.execute_query("RETURN 1", database_="missing")
        raise AssertionError("a database that is not there answered")
    except exceptions.ClientError as error:
        assert error.code == "Neo.ClientError.Database.DatabaseNotFound", error.code


def main():
    uri = sys.argv[1]
    print(json.dumps({"driver": f"Python {neo4j.__version__}"}))
    with GraphDatabase.driver(uri, telemetry_disabled=True) as driver:
        for name, function in CASES.items():
            start, problem = time.monotonic(), None
            try:
                function(driver, uri)
            except Exception as error:  # whatever goes wrong is this case's result
                problem = f"{type(error).__name__}: {error} ({traceback.extract_tb(error.__traceback__)[-1].lineno})"
            print(json.dumps({"case": name, "ok": problem is None, "detail": problem, "ms": round((time.monotonic() - start) * 1000)}), flush=True)


main()
