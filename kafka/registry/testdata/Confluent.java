import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;

/** What Confluent's client for Java and Avro's library say; see confluent_java_test.go. */
public class Confluent {
  private static final Pattern TYPE = Pattern.compile("errorType:'(\\w+)'");

  public static void main(String[] args) throws Exception {
    if (args[0].equals("compare")) {
      compare();
    } else {
      live(args[0]);
    }
  }

  /** Takes lines of reader, tab, writer; answers the reader's canonical text, its normalized text and the differences. */
  private static void compare() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] pair = line.split("\t");
      String answer;
      try {
        AvroSchema reader = new AvroSchema(pair[0]);
        List<String> types = new ArrayList<>();
        for (String message : reader.isBackwardCompatible(new AvroSchema(pair[1]))) {
          Matcher m = TYPE.matcher(message);
          types.add(m.find() ? m.group(1) : "AMBIGUOUS_FIELD");
        }
        types.sort(null);
        answer = reader.canonicalString() + "\t" + reader.normalize().canonicalString() + "\t" + String.join(" ", types);
      } catch (RuntimeException e) {
        answer = "error\t" + e.getMessage().replaceAll("\\s+", " ");
      }
      System.out.write((answer + "\n").getBytes(StandardCharsets.UTF_8));
    }
    System.out.flush();
  }

  private static void live(String url) throws Exception {
    CachedSchemaRegistryClient client = new CachedSchemaRegistryClient(url, 100);
    AvroSchema first = new AvroSchema("{\"type\":\"record\",\"name\":\"x.Order\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"}]}");
    AvroSchema second = new AvroSchema("{\"type\":\"record\",\"name\":\"x.Order\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\",\"default\":1}]}");
    AvroSchema breaking = new AvroSchema("{\"type\":\"record\",\"name\":\"x.Order\",\"fields\":[{\"name\":\"m\",\"type\":\"int\"}]}");
    say("register", client.register("orders-value", first));
    say("again", client.register("orders-value", first));
    say("second", client.register("orders-value", second, true));
    say("version", client.getVersion("orders-value", second));
    say("id", client.getId("orders-value", first));
    CachedSchemaRegistryClient other = new CachedSchemaRegistryClient(url, 100);
    say("by id", other.getSchemaById(2).canonicalString().equals(second.canonicalString()));
    say("latest", other.getLatestSchemaMetadata("orders-value").getVersion());
    say("versions", other.getAllVersions("orders-value"));
    say("subjects of an id", other.getAllSubjectsById(1));
    say("compatible", other.testCompatibility("orders-value", breaking));
    say("refused", refused(() -> other.register("orders-value", breaking)));
    say("none", refused(() -> other.getLatestSchemaMetadata("none")));
    say("update", other.updateCompatibility("orders-value", "FULL"));
    say("level", other.getCompatibility("orders-value"));
    say("mode", other.getMode());
    say("deleted", other.deleteSchemaVersion("orders-value", "1"));
    say("subject", other.deleteSubject("orders-value"));
    say("for ever", other.deleteSubject("orders-value", true));
    say("subjects", other.getAllSubjects());
  }

  private interface Call {
    Object run() throws Exception;
  }

  private static String refused(Call call) throws Exception {
    try {
      return "taken: " + call.run();
    } catch (RestClientException e) {
      return e.getStatus() + " " + e.getErrorCode();
    }
  }

  private static void say(String what, Object value) {
    System.out.println(what + "=" + value);
  }
}
