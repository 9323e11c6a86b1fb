// Appends, reads and registers through transaction functions: what is the same with every version of the Java driver. See ../README.md.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

abstract class Histories {
    private static final int LISTS = 2, REGISTERS = 1; // workers of each kind
    private static final int PAUSE_MS = 40; // at most, between two functions
    private static final String APPEND = "MATCH (l:List {key: $key}) SET l.v = l.v + $value RETURN l.v";
    private static final String SEE = "MATCH (l:List {key: $key}) RETURN l.v";
    private static final String SET = "MATCH (r:Register {key: $key}) SET r.v = $value RETURN r.v";
    private static final String GET = "MATCH (r:Register {key: $key}) RETURN r.v";
    static final Map<String, Object> LINEARIZABLE = Map.of("quiver.consistency", "linearizable"), NOTHING = Map.of();

    /** One statement of a transaction, whose only value comes back as JSON. */
    interface Transaction {
        String single(String text, Map<String, Object> parameters);
    }

    interface Body {
        void run(Transaction tx);
    }

    interface Worker {
        String one(Round round, Random random, String after);
    }

    /** One time that a function was run. Its operations are JSON. */
    private static class Attempt {
        final double begin;
        double end;
        boolean whole;
        final List<String> ops = new ArrayList<>();

        Attempt(double begin) {
            this.begin = begin;
        }

        void note(String kind, String key, Object value) {
            ops.add("[" + quote(kind) + ", " + quote(key) + ", " + value + "]");
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "{\"begin\": %.6f, \"end\": %.6f, \"whole\": %b, \"ops\": %s}", begin, end, whole, ops);
        }
    }

    static class Round {
        final String number, prepared;
        final int lists, registers;
        final List<Thread> workers = new ArrayList<>();
        volatile boolean stopping;
        String shared;

        Round(String[] words) {
            number = words[1];
            lists = Integer.parseInt(words[2]);
            registers = Integer.parseInt(words[3]);
            prepared = shared = words[4];
        }

        synchronized String shared() {
            return shared;
        }

        synchronized void share(String bookmark) {
            shared = place(bookmark) > place(shared) ? bookmark : shared;
        }
    }

    private final AtomicLong values = new AtomicLong(); // that nobody else writes

    /** Runs the body as a transaction function, as often as the driver does. Returns the bookmark. */
    abstract String execute(boolean writes, String after, Map<String, Object> metadata, Body body);

    abstract String codeOf(Exception problem);

    static synchronized void say(String json) {
        System.out.println(json);
    }

    static String quote(String text) {
        if (text == null) return "null";
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) out.append(c == '"' || c == '\\' ? "\\" + c : c < ' ' ? " " : String.valueOf(c));
        return out.append('"').toString();
    }

    static long place(String bookmark) {
        return Long.parseLong(bookmark.replaceFirst(".*:(tx)?", ""));
    }

    /** Of the clock that all programs on this machine share. */
    private static double now() {
        return System.nanoTime() / 1e9;
    }

    private String function(String kind, boolean writes, String after, Map<String, Object> metadata, java.util.function.BiConsumer<Transaction, Attempt> body) {
        double begin = now();
        List<Attempt> attempts = new ArrayList<>();
        String bookmark = null, problem = "null";
        try {
            bookmark = execute(writes, after, metadata, tx -> {
                Attempt attempt = new Attempt(attempts.isEmpty() ? begin : attempts.get(attempts.size() - 1).end);
                attempts.add(attempt);
                try {
                    body.accept(tx, attempt);
                    attempt.whole = true;
                } finally {
                    attempt.end = now();
                }
            });
        } catch (Exception e) {
            problem = String.format(Locale.ROOT, "{\"code\": %s, \"detail\": %s, \"after_s\": %.3f}", quote(codeOf(e)), quote(String.valueOf(e.getMessage())), now() - begin);
        }
        say(String.format(Locale.ROOT, "{\"kind\": %s, \"after\": %s, \"bookmark\": %s, \"attempts\": %s, \"end\": %.6f, \"problem\": %s}", quote(kind), quote(after),
                quote(bookmark), attempts, now(), problem));
        return bookmark;
    }

    private String oneOfLists(Round round, Random random, String after) {
        boolean[] appends = new boolean[1 + random.nextInt(4)];
        int[] keys = new int[appends.length];
        boolean writes = random.nextDouble() < 0.3;
        for (int i = 0; i < keys.length; i++) {
            appends[i] = random.nextBoolean();
            keys[i] = random.nextInt(round.lists);
            writes |= appends[i];
        }
        Arrays.sort(keys); // in one order, so that nobody waits in a circle
        return function("list", writes, after, NOTHING, (tx, attempt) -> {
            for (int i = 0; i < keys.length; i++) {
                String key = round.number + "-" + keys[i];
                if (appends[i]) {
                    long value = values.incrementAndGet();
                    attempt.note("a", key, value);
                    attempt.note("r", key, tx.single(APPEND, Map.of("key", key, "value", value)));
                } else {
                    attempt.note("r", key, tx.single(SEE, Map.of("key", key)));
                }
            }
        });
    }

    private String oneOfRegisters(Round round, Random random, String after) {
        String key = round.number + "-" + random.nextInt(round.registers);
        boolean writes = random.nextDouble() < 0.3;
        function("register", writes, null, LINEARIZABLE, (tx, attempt) -> {
            if (writes) {
                long value = values.incrementAndGet();
                attempt.note("w", key, value);
                tx.single(SET, Map.of("key", key, "value", value));
            } else {
                attempt.note("r", key, tx.single(GET, Map.of("key", key)));
            }
        });
        return null;
    }

    private void work(Round round, Worker worker) {
        Random random = new Random();
        String own = round.prepared;
        while (!round.stopping) {
            String[] known = {own, own, round.shared(), round.prepared};
            String told = worker.one(round, random, known[random.nextInt(known.length)]);
            own = told == null ? own : told;
            round.share(own);
            try {
                Thread.sleep(random.nextInt(PAUSE_MS));
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void start(Round round) {
        for (int i = 0; i < LISTS + REGISTERS; i++) {
            Worker worker = i < LISTS ? this::oneOfLists : this::oneOfRegisters;
            round.workers.add(new Thread(() -> work(round, worker)));
            round.workers.get(i).start();
        }
    }

    void serve(long base) throws IOException, InterruptedException {
        say("{\"driver\": " + quote("java " + System.getProperty("driver.version", "?")) + "}");
        values.set(base);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        Round round = null;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("begin")) {
                round = new Round(words);
                start(round);
                continue;
            }
            round.stopping = true;
            for (Thread worker : round.workers) worker.join();
            say("{\"ended\": " + quote(round.number) + "}");
        }
    }
}
