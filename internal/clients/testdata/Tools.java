import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs command-line tools of Apache Kafka one after the other, each by its own main method: a
 * virtual machine for each would take most of the time. A request is a line of JSON with the class,
 * its arguments and what it reads; the answer has the exit code and what it printed.
 */
public class Tools {
    static class Ended extends Error {
        Ended() { super("the tool ended", null, false, false); }
    }

    static final AtomicInteger code = new AtomicInteger();
    static final List<Runnable> hooks = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        PrintStream answers = System.out;
        Exit.setExitProcedure((status, message) -> end(status));
        Exit.setHaltProcedure((status, message) -> end(status));
        Exit.setShutdownHookAdder((name, hook) -> { synchronized (hooks) { hooks.add(hook); } });
        answers.println("ready");
        for (String line; (line = requests.readLine()) != null; ) {
            answers.println(json.writeValueAsString(run(json.readTree(line))));
        }
        Runtime.getRuntime().halt(0); // what a tool left running
    }

    static void end(int status) {
        code.compareAndSet(-1, status);
        throw new Ended();
    }

    static Map<String, Object> run(JsonNode request) throws Exception {
        InputStream in = System.in;
        PrintStream out = System.out, err = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream(), complained = new ByteArrayOutputStream();
        code.set(-1);
        try {
            System.setIn(new ByteArrayInputStream(request.path("in").asText().getBytes("UTF-8")));
            System.setOut(new PrintStream(printed, true, "UTF-8"));
            System.setErr(new PrintStream(complained, true, "UTF-8"));
            call(request);
            runHooks();
        } finally {
            System.out.flush();
            System.setIn(in);
            System.setOut(out);
            System.setErr(err);
        }
        return Map.of("code", Math.max(code.get(), 0), "out", printed.toString("UTF-8"), "err", complained.toString("UTF-8"));
    }

    static void call(JsonNode request) throws Exception {
        List<String> args = new ArrayList<>();
        request.path("args").forEach(a -> args.add(a.asText()));
        try {
            Class.forName(request.path("main").asText()).getMethod("main", String[].class).invoke(null, (Object) args.toArray(new String[0]));
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Ended) return;
            code.compareAndSet(-1, 1);
            e.getCause().printStackTrace();
        }
    }

    static void runHooks() {
        List<Runnable> now;
        synchronized (hooks) {
            now = new ArrayList<>(hooks);
            hooks.clear();
        }
        for (Runnable hook : now) {
            try {
                hook.run();
            } catch (Ended e) {
                // its exit code is kept
            }
        }
    }
}
