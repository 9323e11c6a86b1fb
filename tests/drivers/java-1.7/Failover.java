// Transaction functions through the official Java driver 1.7, which speaks Bolt 1 to 3, while leaders die: Failover URI. See ../README.md.

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.neo4j.driver.v1.AuthTokens;
import org.neo4j.driver.v1.Config;
import org.neo4j.driver.v1.Driver;
import org.neo4j.driver.v1.GraphDatabase;
import org.neo4j.driver.v1.StatementResult;
import org.neo4j.driver.v1.Logging;
import org.neo4j.driver.v1.Session;
import org.neo4j.driver.v1.exceptions.Neo4jException;

public class Failover {
    private static final String NAME = "java " + System.getProperty("driver.version", "?");
    private final List<String> acknowledged = new ArrayList<>(), failed = new ArrayList<>(), unseen = new ArrayList<>();
    private final Map<String, Integer> readers = new TreeMap<>();
    private volatile boolean stopping;

    private static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) out.append(c == '"' || c == '\\' ? "\\" + c : c < ' ' ? " " : String.valueOf(c));
        return out.append('"').toString();
    }

    /** One write and, behind its bookmark, one read on whoever takes reads. */
    private void writeAndRead(Driver driver, String id) {
        try (Session session = driver.session()) {
            session.writeTransaction(tx -> tx.run("MERGE (w:Written {id: $id}) RETURN w.id", Map.<String, Object>of("id", id)).consume());
            synchronized (this) {
                acknowledged.add(quote(id));
            }
            String[] address = new String[1];
            int count = session.readTransaction(tx -> {
                StatementResult result = tx.run("MATCH (w:Written {id: $id}) RETURN count(w)", Map.<String, Object>of("id", id));
                int found = result.single().get(0).asInt();
                address[0] = result.consume().server().address();
                return found;
            });
            synchronized (this) {
                readers.merge(address[0], 1, Integer::sum);
                if (count != 1) unseen.add(quote(id));
            }
        } catch (Exception e) {
            String code = e instanceof Neo4jException known && known.code() != null ? known.code() : e.getClass().getSimpleName();
            synchronized (this) {
                failed.add("{\"id\": " + quote(id) + ", \"code\": " + quote(code) + ", \"detail\": " + quote(String.valueOf(e.getMessage())) + "}");
            }
        }
    }

    private void write(Driver driver, int number) {
        for (int i = 0; !stopping; i++) {
            writeAndRead(driver, NAME + "/" + number + "/" + i);
            if (i == 0) System.out.println("{\"ready\": " + number + "}");
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private synchronized String report() {
        List<String> counts = new ArrayList<>();
        readers.forEach((address, count) -> counts.add(quote(address) + ": " + count));
        return "{\"acknowledged\": " + acknowledged + ", \"unknown\": [], \"failed\": " + failed + ", \"unseen\": " + unseen + ", \"readers\": {"
                + String.join(", ", counts) + "}}";
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println("{\"driver\": " + quote(NAME) + "}");
        Failover failover = new Failover();
        try (Driver driver = GraphDatabase.driver(arguments[0].replace("neo4j://", "bolt+routing://"), AuthTokens.none(), Config.build().withoutEncryption().withLogging(Logging.none()).toConfig())) {
            List<Thread> writers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                int number = i;
                writers.add(new Thread(() -> failover.write(driver, number)));
                writers.get(i).start();
            }
            while (System.in.read() >= 0) continue;
            failover.stopping = true;
            for (Thread writer : writers) writer.join();
        }
        System.out.println(failover.report());
        System.exit(0);
    }
}
