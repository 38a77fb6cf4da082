package peer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.Persistence;
import org.apache.pekko.persistence.r2dbc.state.javadsl.R2dbcDurableStateStore;
import org.apache.pekko.persistence.state.DurableStateStoreRegistry;
import org.apache.pekko.persistence.state.javadsl.GetObjectResult;

/**
 * Takes one JSON request a line and answers each with a line: {"ok":...} or {"error":"..."}.
 */
public final class Peer {
  static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final ActorSystem<Object> system;
  private final Map<String, ActorRef<Cart.Command>> held = new HashMap<>();
  private final Map<String, ActorRef<View.Command>> views = new HashMap<>();
  private int spawned;

  private Peer(ActorSystem<Object> system) {
    this.system = system;
  }

  public static void main(String[] args) throws Exception {
    ActorSystem<Object> system =
        ActorSystem.create(Behaviors.empty(), "peer", ConfigFactory.load());
    Peer peer = new Peer(system);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println("ready");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      System.out.write((peer.answer(line) + "\n").getBytes(StandardCharsets.UTF_8));
      System.out.flush();
    }
    system.terminate();
  }

  private String answer(String line) throws Exception {
    ObjectNode out = JSON.createObjectNode();
    try {
      out.set("ok", handle(JSON.readTree(line)));
    } catch (Exception e) {
      Throwable cause = e;
      while (cause.getCause() != null) cause = cause.getCause();
      out.put("error", cause.toString());
    }
    return JSON.writeValueAsString(out);
  }

  private JsonNode handle(JsonNode request) throws Exception {
    String pid = request.path("pid").asText();
    switch (request.get("op").asText()) {
      case "slices":
        return slices(request.get("ids"));
      case "persist":
        List<Object> events = events(request.get("events"));
        return ask(pid, reply -> new Cart.Add(events, reply));
      case "replay":
        release(pid);
        return ask(pid, Cart.Get::new);
      case "snapshot":
        return ask(pid, Cart.TakeSnapshot::new);
      case "release":
        release(pid);
        return JSON.nullNode();
      case "project":
        views.put(request.get("name").asText(), View.start(system, request));
        return JSON.nullNode();
      case "unproject":
        AskPattern.<View.Command, Done>ask(
                views.remove(request.get("name").asText()),
                View.Stop::new,
                TIMEOUT,
                system.scheduler())
            .toCompletableFuture()
            .get(20, TimeUnit.SECONDS);
        return JSON.nullNode();
      case "putState":
        return putState(pid, request);
      case "getState":
        return getState(pid);
      case "deleteState":
        states().deleteObject(pid).toCompletableFuture().get(20, TimeUnit.SECONDS);
        return JSON.nullNode();
      default:
        throw new IllegalArgumentException("unknown op " + request);
    }
  }

  private JsonNode slices(JsonNode ids) {
    ArrayNode out = JSON.createArrayNode();
    for (JsonNode id : ids) out.add(Persistence.get(system).sliceForPersistenceId(id.asText()));
    return out;
  }

  /** A string is itself, an object {"item","count"} an event of a type with a manifest. */
  private static List<Object> events(JsonNode nodes) throws Exception {
    List<Object> out = new ArrayList<>();
    for (JsonNode n : nodes) {
      out.add(n.isTextual() ? n.asText() : JSON.treeToValue(n, ItemAdded.class));
    }
    return out;
  }

  private JsonNode ask(String pid, Function<ActorRef<Cart.Answer>, Cart.Command> command) throws Exception {
    ActorRef<Cart.Command> cart =
        held.computeIfAbsent(pid, p -> system.systemActorOf(Cart.create(p), "cart-" + spawned++, Props.empty()));
    CompletionStage<Cart.Answer> answered =
        AskPattern.ask(cart, command::apply, TIMEOUT, system.scheduler());
    Cart.Answer answer = answered.toCompletableFuture().get(20, TimeUnit.SECONDS);
    if (answer.failure != null) {
      held.remove(pid);
      throw new IllegalStateException(answer.failure);
    }
    return JSON.valueToTree(answer);
  }

  /** The next request to the entity recovers it from the journal. */
  private void release(String pid) throws Exception {
    ActorRef<Cart.Command> cart = held.remove(pid);
    if (cart != null) {
      AskPattern.<Cart.Command, Cart.Answer>ask(cart, Cart.Stop::new, TIMEOUT, system.scheduler())
          .toCompletableFuture()
          .get(20, TimeUnit.SECONDS);
    }
  }

  @SuppressWarnings("unchecked")
  private R2dbcDurableStateStore<Object> states() {
    return DurableStateStoreRegistry.get(system)
        .getDurableStateStoreFor(R2dbcDurableStateStore.class, R2dbcDurableStateStore.Identifier());
  }

  private JsonNode putState(String pid, JsonNode request) throws Exception {
    JsonNode value = request.get("value");
    Object state = value.isTextual() ? value.asText() : JSON.treeToValue(value, ItemAdded.class);
    states()
        .upsertObject(pid, request.get("revision").asLong(), state, "")
        .toCompletableFuture()
        .get(20, TimeUnit.SECONDS);
    return JSON.nullNode();
  }

  private JsonNode getState(String pid) throws Exception {
    GetObjectResult<Object> got =
        states().getObject(pid).toCompletableFuture().get(20, TimeUnit.SECONDS);
    ObjectNode out = JSON.createObjectNode().put("revision", got.revision());
    if (got.value().isPresent()) out.set("value", JSON.valueToTree(got.value().get()));
    return out;
  }
}
