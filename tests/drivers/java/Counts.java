// Increments through one address: what is the same with every version of the Java driver. See ../README.md.

import java.util.ArrayList;
import java.util.List;

abstract class Counts {
    private static final String INCREMENT = "MATCH (c:Counter {number: $number}) SET c.n = c.n + 1 RETURN c.n";
    private static final String READ = "MATCH (c:Counter {number: $number}) RETURN c.n";
    private static final int COUNTERS = 4;
    private final List<String> failed = new ArrayList<>();
    private int done, unseen;
    private volatile boolean stopping;

    /** A session of one client. */
    interface Client extends AutoCloseable {
        long statement(String text, int number);

        long writeFunction(String text, int number);

        long readFunction(String text, int number);

        @Override
        void close();
    }

    /** At one of the two drivers, 0 for bolt:// and 1 for the routing scheme. */
    abstract Client open(int driver);

    private void count(int driver, boolean inFunction, int number) {
        try (Client client = open(driver)) {
            while (!stopping) {
                long n = inFunction ? client.writeFunction(INCREMENT, number) : client.statement(INCREMENT, number);
                synchronized (this) {
                    done++;
                }
                boolean isSeen = client.readFunction(READ, number) >= n;
                synchronized (this) {
                    if (!isSeen) unseen++;
                }
            }
        } catch (RuntimeException e) {
            synchronized (this) {
                failed.add(Histories.quote(driver + " " + inFunction + ": " + e));
            }
        }
    }

    /** Until the input ends. */
    void serve(int clients) throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            int driver = i % 2, number = i % COUNTERS;
            boolean inFunction = i / 2 % 2 == 0;
            threads.add(new Thread(() -> count(driver, inFunction, number)));
            threads.get(i).start();
        }
        while (System.in.read() >= 0) continue;
        stopping = true;
        for (Thread thread : threads) thread.join();
        System.out.println("{\"done\": " + done + ", \"failed\": " + failed + ", \"unseen\": " + unseen + "}");
    }
}
