import java.time.Duration;
import org.apache.kafka.streams.tests.SmokeTestDriver;
import org.apache.kafka.streams.tests.SmokeTestUtil.VerificationResult;

/**
 * The driver of Apache Kafka's smoke test of Kafka Streams, with less to do than its main method has.
 * Usage: java Smoke.java HOST:PORT KEYS RECORDS_PER_KEY SECONDS
 */
public class Smoke {
    public static void main(String[] args) {
        int keys = Integer.parseInt(args[1]), records = Integer.parseInt(args[2]);
        var data = SmokeTestDriver.generate(args[0], keys, records, Duration.ofSeconds(Integer.parseInt(args[3])));
        VerificationResult result = SmokeTestDriver.verify(args[0], data, records, true);
        System.out.println(result.result());
        System.exit(result.passed() ? 0 : 1);
    }
}
