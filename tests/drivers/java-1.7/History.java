// Histories through the official Java driver 1.7, which speaks Bolt 1 to 3: History BASE URI. See ../README.md.

import java.util.Map;
import org.neo4j.driver.v1.AccessMode;
import org.neo4j.driver.v1.AuthTokens;
import org.neo4j.driver.v1.Config;
import org.neo4j.driver.v1.Driver;
import org.neo4j.driver.v1.GraphDatabase;
import org.neo4j.driver.v1.Logging;
import org.neo4j.driver.v1.Session;
import org.neo4j.driver.v1.TransactionConfig;
import org.neo4j.driver.v1.TransactionWork;
import org.neo4j.driver.v1.exceptions.Neo4jException;

public class History extends Histories {
    private final Driver driver;

    private History(Driver driver) {
        this.driver = driver;
    }

    @Override
    String execute(boolean writes, String after, Map<String, Object> metadata, Body body) {
        TransactionConfig transaction = TransactionConfig.builder().withMetadata(metadata).build();
        TransactionWork<Void> work = tx -> {
            body.run((text, parameters) -> tx.run(text, parameters).single().get(0).asObject().toString());
            return null;
        };
        try (Session session = driver.session(writes ? AccessMode.WRITE : AccessMode.READ, after)) {
            if (writes) {
                session.writeTransaction(work, transaction);
            } else {
                session.readTransaction(work, transaction);
            }
            return session.lastBookmark();
        }
    }

    @Override
    String codeOf(Exception e) {
        return e instanceof Neo4jException known && known.code() != null ? known.code() : e.getClass().getSimpleName();
    }

    public static void main(String[] arguments) throws Exception {
        Config config = Config.build().withoutEncryption().withLogging(Logging.none()).toConfig();
        try (Driver driver = GraphDatabase.driver(arguments[1].replace("neo4j://", "bolt+routing://"), AuthTokens.none(), config)) {
            new History(driver).serve(Long.parseLong(arguments[0]));
        }
        System.exit(0);
    }
}
