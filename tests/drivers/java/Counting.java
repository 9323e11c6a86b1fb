// Increments through one address by the official Java driver: Counting CLIENTS HOST:PORT. See ../README.md.

import java.util.Map;
import java.util.logging.Level;
import org.neo4j.driver.AuthTokens;
import org.neo4j.driver.Config;
import org.neo4j.driver.Driver;
import org.neo4j.driver.GraphDatabase;
import org.neo4j.driver.Logging;
import org.neo4j.driver.Session;
import org.neo4j.driver.SessionConfig;
import org.neo4j.driver.SimpleQueryRunner;

public class Counting extends Counts {
    private final Driver[] drivers;

    private Counting(Driver... drivers) {
        this.drivers = drivers;
    }

    private static long single(SimpleQueryRunner runner, String text, int number) {
        return runner.run(text, Map.of("number", number)).single().get(0).asLong();
    }

    @Override
    Client open(int driver) {
        Session session = drivers[driver].session(SessionConfig.forDatabase("neo4j"));
        return new Client() {
            @Override
            public long statement(String text, int number) {
                return single(session, text, number);
            }

            @Override
            public long writeFunction(String text, int number) {
                return session.executeWrite(tx -> single(tx, text, number));
            }

            @Override
            public long readFunction(String text, int number) {
                return session.executeRead(tx -> single(tx, text, number));
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    public static void main(String[] arguments) throws Exception {
        Config config = Config.builder().withLogging(Logging.console(Level.OFF)).build();
        try (Driver direct = GraphDatabase.driver("bolt://" + arguments[1], AuthTokens.none(), config);
                Driver routing = GraphDatabase.driver("neo4j://" + arguments[1], AuthTokens.none(), config)) {
            new Counting(direct, routing).serve(Integer.parseInt(arguments[0]));
        }
        System.exit(0);
    }
}
