import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.apicurio.registry.utils.converter.AvroConverter;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * Writes what comes in the form of Kafka Connect's JSON converter, with schemas, as Apicurio's Avro converter does in its
 * Confluent mode, and tells the bytes and the schema that it registers. The registry is in this process.
 */
public class Apicurio {
  private static String registered = "";

  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", Apicurio::answer);
    server.start();
    JsonConverter json = new JsonConverter();
    json.configure(Map.of("schemas.enable", "true"), false);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      AvroConverter<Object> avro = new AvroConverter<>();
      Map<String, Object> config = new HashMap<>();
      config.put("apicurio.registry.url", "http://127.0.0.1:" + server.getAddress().getPort() + "/apis/registry/v2");
      config.put("apicurio.registry.auto-register", "true");
      config.put("apicurio.registry.as-confluent", "true");
      config.put("apicurio.registry.use-id", "contentId");
      config.put("apicurio.registry.headers.enabled", "false");
      config.put("apicurio.registry.dereference-schema", "true");
      config.put("apicurio.registry.find-latest", "false");
      avro.configure(config, false);
      registered = "";
      String out;
      try {
        SchemaAndValue data = json.toConnectData("t", line.getBytes(StandardCharsets.UTF_8));
        byte[] bytes = avro.fromConnectData("t", data.schema(), data.value());
        out = HexFormat.of().formatHex(bytes) + "\t" + registered;
      } catch (RuntimeException e) {
        out = "error\t" + e;
      }
      System.out.println(out.replace('\n', ' '));
      avro.close();
    }
    server.stop(0);
  }

  private static void answer(HttpExchange x) throws java.io.IOException {
    byte[] body = x.getRequestBody().readAllBytes();
    if (body.length > 0) {
      registered = new String(body, StandardCharsets.UTF_8);
    }
    byte[] answer = "{\"id\":\"t-value\",\"groupId\":\"default\",\"version\":\"1\",\"type\":\"AVRO\",\"state\":\"ENABLED\",\"contentId\":7,\"globalId\":9}".getBytes(StandardCharsets.UTF_8);
    x.getResponseHeaders().set("Content-Type", "application/json");
    x.sendResponseHeaders(200, answer.length);
    x.getResponseBody().write(answer);
    x.close();
  }
}
