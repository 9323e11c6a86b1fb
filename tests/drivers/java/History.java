// Histories through the official Java driver: History BASE URI. See ../README.md.

import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import org.neo4j.driver.AccessMode;
import org.neo4j.driver.AuthTokens;
import org.neo4j.driver.Bookmark;
import org.neo4j.driver.Config;
import org.neo4j.driver.Driver;
import org.neo4j.driver.GraphDatabase;
import org.neo4j.driver.Logging;
import org.neo4j.driver.Session;
import org.neo4j.driver.SessionConfig;
import org.neo4j.driver.TransactionConfig;
import org.neo4j.driver.TransactionContext;
import org.neo4j.driver.exceptions.Neo4jException;

public class History extends Histories {
    private final Driver driver;

    private History(Driver driver) {
        this.driver = driver;
    }

    private static void run(TransactionContext tx, Body body) {
        body.run((text, parameters) -> tx.run(text, parameters).single().get(0).asObject().toString());
    }

    @Override
    String execute(boolean writes, String after, Map<String, Object> metadata, Body body) {
        SessionConfig.Builder config = SessionConfig.builder().withDatabase("neo4j").withDefaultAccessMode(writes ? AccessMode.WRITE : AccessMode.READ);
        if (after != null) config.withBookmarks(Set.of(Bookmark.from(after)));
        TransactionConfig transaction = TransactionConfig.builder().withMetadata(metadata).build();
        try (Session session = driver.session(config.build())) {
            if (writes) {
                session.executeWriteWithoutResult(tx -> run(tx, body), transaction);
            } else {
                session.<Void>executeRead(tx -> {
                    run(tx, body);
                    return null;
                }, transaction);
            }
            return session.lastBookmarks().stream().map(Bookmark::value).max(Comparator.comparing(Histories::place)).orElseThrow();
        }
    }

    @Override
    String codeOf(Exception e) {
        return e instanceof Neo4jException known && known.code() != null ? known.code() : e.getClass().getSimpleName();
    }

    public static void main(String[] arguments) throws Exception {
        try (Driver driver = GraphDatabase.driver(arguments[1], AuthTokens.none(), Config.builder().withLogging(Logging.console(Level.OFF)).build())) {
            new History(driver).serve(Long.parseLong(arguments[0]));
        }
        System.exit(0);
    }
}
