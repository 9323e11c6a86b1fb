// The driver suite through the official Java driver: Suite URI. One JSON line a case; see ../README.md.

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.neo4j.driver.AuthTokens;
import org.neo4j.driver.Config;
import org.neo4j.driver.Driver;
import org.neo4j.driver.GraphDatabase;
import org.neo4j.driver.QueryConfig;
import org.neo4j.driver.SessionConfig;
import org.neo4j.driver.Value;
import org.neo4j.driver.Values;
import org.neo4j.driver.exceptions.Neo4jException;

public class Suite {
    interface Case {
        void run() throws Exception;
    }

    private final String uri;
    private final Driver driver;
    private final Map<String, Case> cases = new LinkedHashMap<>();

    Suite(String uri) {
        this.uri = uri;
        driver = GraphDatabase.driver(uri, AuthTokens.none());
        cases.put("connect", this::connect);
        cases.put("types", this::types);
        cases.put("graph types", this::graphTypes);
        cases.put("auto-commit transaction", this::autoCommit);
        cases.put("explicit transaction", this::explicit);
        cases.put("managed transaction", this::managed);
        cases.put("failure and recovery", this::failure);
        cases.put("fetch size 1", this::fetchSize);
        cases.put("20 MB parameter", this::large);
        cases.put("routing scheme", this::routing);
        cases.put("database names", this::databases);
    }

    private static void check(boolean holds, Object what) {
        if (!holds) throw new AssertionError(String.valueOf(what));
    }

    private static void expectCode(String code, Case run) throws Exception {
        try {
            run.run();
        } catch (Neo4jException error) {
            check(error.code().equals(code), error.code() + ", not " + code);
            return;
        }
        throw new AssertionError("went through: " + code);
    }

    private Value echo(Value value) {
        try (var session = driver.session()) {
            return session.run("RETURN $x AS x", Values.parameters("x", value)).single().get("x");
        }
    }

    void connect() {
        driver.verifyConnectivity();
    }

    void types() {
        var values = Arrays.asList(Values.NULL, Values.value(true), Values.value(Long.MIN_VALUE), Values.value(Long.MAX_VALUE), Values.value(1.5),
                Values.value(Double.POSITIVE_INFINITY), Values.value("text \u00e9 \ud83d\ude00"), Values.value(new byte[] {0, 1, -1}),
                Values.value(List.of(1, List.of("a"))), Values.value(Map.of("a", Map.of("b", 1))), Values.value(LocalDate.of(2024, 2, 29)),
                Values.value(LocalTime.of(1, 2, 3, 4)), Values.value(OffsetTime.of(1, 2, 3, 4, ZoneOffset.ofHours(-3))),
                Values.value(LocalDateTime.of(2024, 2, 29, 1, 2, 3, 4)), Values.value(ZonedDateTime.of(2024, 7, 1, 1, 2, 3, 4, ZoneId.of("Europe/Paris"))),
                Values.value(ZonedDateTime.of(2024, 7, 1, 1, 2, 3, 4, ZoneOffset.ofHoursMinutes(5, 30))), Values.isoDuration(1, 2, 3, 4),
                Values.point(7203, 1.5, 2.5), Values.point(4979, 1, 2, 3));
        for (var value : values) check(echo(value).equals(value), value + " came back as " + echo(value));
    }

    void graphTypes() {
        try (var session = driver.session()) {
            var row = session.run("CREATE p = (a:DriverTest {n: 1})-[r:REL {w: 2.5}]->(b:DriverTest) RETURN a, r, p").single();
            check(row.get("a").asNode().hasLabel("DriverTest") && row.get("a").get("n").asInt() == 1, row);
            check(row.get("r").asRelationship().type().equals("REL"), row);
            check(row.get("r").asRelationship().startNodeElementId().equals(row.get("a").asNode().elementId()), row);
            check(row.get("p").asPath().length() == 1, row);
            session.run("MATCH (n:DriverTest) DETACH DELETE n").consume();
        }
    }

    void autoCommit() {
        try (var session = driver.session()) {
            var counters = session.run("CREATE (n:DriverTest {n: 1}) DELETE n").consume().counters();
            check(counters.nodesCreated() == 1 && counters.nodesDeleted() == 1, counters);
        }
    }

    void explicit() {
        try (var session = driver.session()) {
            try (var tx = session.beginTransaction()) {
                tx.run("CREATE (:DriverTest)");
                check(tx.run("MATCH (n:DriverTest) RETURN count(n) AS n").single().get("n").asInt() == 1, "own write");
                tx.rollback();
            }
            check(session.run("MATCH (n:DriverTest) RETURN count(n) AS n").single().get("n").asInt() == 0, "rolled back");
        }
    }

    void managed() throws Exception {
        try (var session = driver.session()) {
            session.executeWriteWithoutResult(tx -> tx.run("CREATE (n:DriverTest) DELETE n").consume());
            check(session.executeRead(tx -> tx.run("RETURN 1 AS one").single().get("one").asInt()) == 1, "read");
            expectCode("Neo.ClientError.Statement.AccessMode", () -> session.executeRead(tx -> tx.run("CREATE (:DriverTest)").consume()));
        }
    }

    void failure() throws Exception {
        try (var session = driver.session()) {
            expectCode("Neo.ClientError.Statement.SyntaxError", () -> session.run("RETURN").consume());
            expectCode("Neo.ClientError.Statement.ArithmeticError", () -> session.run("RETURN 1/0").consume());
            expectCode("Neo.ClientError.Statement.ParameterMissing", () -> session.run("RETURN $missing").consume());
            check(session.run("RETURN 1 AS one").single().get("one").asInt() == 1, "recovery");
        }
    }

    void fetchSize() {
        try (var session = driver.session(SessionConfig.builder().withFetchSize(1).build())) {
            check(session.run("UNWIND range(1, 50) AS x RETURN x").list().size() == 50, "rows");
        }
    }

    void large() {
        try (var session = driver.session()) {
            check(session.run("RETURN size($x) AS n", Map.of("x", "x".repeat(20_000_000))).single().get("n").asInt() == 20_000_000, "size");
        }
    }

    void routing() {
        try (var routed = GraphDatabase.driver(uri.replace("bolt://", "neo4j://"), AuthTokens.none(), Config.defaultConfig())) {
            check(routed.executableQuery("RETURN 1 AS one").execute().records().get(0).get("one").asInt() == 1, "one");
        }
    }

    void databases() throws Exception {
        expectCode("Neo.ClientError.Database.DatabaseNotFound",
                () -> driver.executableQuery("RETURN 1").withConfig(QueryConfig.builder().withDatabase("missing").build()).execute());
    }

    private static String quote(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
    }

    public static void main(String[] args) {
        var suite = new Suite(args[0]);
        System.out.println("{\"driver\": " + quote("Java " + System.getProperty("driver.version", "5")) + "}");
        suite.cases.forEach((name, one) -> {
            String problem = null;
            long start = System.nanoTime();
            try {
                one.run();
            } catch (Throwable error) {
                problem = error.toString();
            }
            System.out.println("{\"case\": " + quote(name) + ", \"ok\": " + (problem == null) + ", \"detail\": "
                    + (problem == null ? "null" : quote(problem)) + ", \"ms\": " + (System.nanoTime() - start) / 1_000_000 + "}");
        });
        suite.driver.close();
    }
}
