// Increments through one address by the official Java driver 1.7, which speaks Bolt 1 to 3: Counting CLIENTS HOST:PORT. See ../README.md.

import java.util.Map;
import org.neo4j.driver.v1.AuthTokens;
import org.neo4j.driver.v1.Config;
import org.neo4j.driver.v1.Driver;
import org.neo4j.driver.v1.GraphDatabase;
import org.neo4j.driver.v1.Logging;
import org.neo4j.driver.v1.Session;
import org.neo4j.driver.v1.StatementRunner;

public class Counting extends Counts {
    private final Driver[] drivers;

    private Counting(Driver... drivers) {
        this.drivers = drivers;
    }

    private static long single(StatementRunner runner, String text, int number) {
        return runner.run(text, Map.<String, Object>of("number", number)).single().get(0).asLong();
    }

    @Override
    Client open(int driver) {
        Session session = drivers[driver].session();
        return new Client() {
            @Override
            public long statement(String text, int number) {
                return single(session, text, number);
            }

            @Override
            public long writeFunction(String text, int number) {
                return session.writeTransaction(tx -> single(tx, text, number));
            }

            @Override
            public long readFunction(String text, int number) {
                return session.readTransaction(tx -> single(tx, text, number));
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    public static void main(String[] arguments) throws Exception {
        Config config = Config.build().withoutEncryption().withLogging(Logging.none()).toConfig();
        try (Driver direct = GraphDatabase.driver("bolt://" + arguments[1], AuthTokens.none(), config);
                Driver routing = GraphDatabase.driver("bolt+routing://" + arguments[1], AuthTokens.none(), config)) {
            new Counting(direct, routing).serve(Integer.parseInt(arguments[0]));
        }
        System.exit(0);
    }
}
