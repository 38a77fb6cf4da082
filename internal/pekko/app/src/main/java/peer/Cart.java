package peer;

import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.SnapshotCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.apache.pekko.actor.typed.PostStop;

/** An entity whose state is the texts of its events, joined by commas. */
public final class Cart extends EventSourcedBehavior<Cart.Command, Object, String> {
  public interface Command {}

  public static final class Add implements Command {
    final List<Object> events;
    final ActorRef<Answer> reply;

    Add(List<Object> events, ActorRef<Answer> reply) {
      this.events = events;
      this.reply = reply;
    }
  }

  public static final class Get implements Command {
    final ActorRef<Answer> reply;

    Get(ActorRef<Answer> reply) {
      this.reply = reply;
    }
  }

  public static final class TakeSnapshot implements Command {
    final ActorRef<Answer> reply;

    TakeSnapshot(ActorRef<Answer> reply) {
      this.reply = reply;
    }
  }

  public static final class Stop implements Command {
    final ActorRef<Answer> reply;

    Stop(ActorRef<Answer> reply) {
      this.reply = reply;
    }
  }

  public static final class Answer {
    public final String state;
    public final String failure;

    Answer(String state, String failure) {
      this.state = state;
      this.failure = failure;
    }
  }

  /** Who waits; answered by the signals that the superclass does not pass on with the command. */
  private final List<ActorRef<Answer>> waiting = new ArrayList<>();

  private boolean snapshot;

  private Cart(PersistenceId id) {
    super(id);
  }

  static Behavior<Command> create(String pid) {
    return Behaviors.setup(context -> new Cart(PersistenceId.ofUniqueId(pid)));
  }

  @Override
  public String emptyState() {
    return "";
  }

  @Override
  public CommandHandler<Command, Object, String> commandHandler() {
    return newCommandHandlerBuilder()
        .forAnyState()
        .onCommand(Add.class, this::add)
        .onCommand(Get.class, (state, c) -> Effect().none().thenRun(s -> c.reply.tell(new Answer(s, null))))
        .onCommand(
            TakeSnapshot.class,
            (state, c) -> {
              snapshot = true;
              waiting.add(c.reply);
              return Effect().persist("snapshot");
            })
        .onCommand(
            Stop.class,
            (state, c) -> Effect().stop().thenRun(s -> c.reply.tell(new Answer(null, null))))
        .build();
  }

  private Effect<Object, String> add(String state, Add c) {
    waiting.add(c.reply);
    return Effect()
        .persist(c.events)
        .thenRun(
            s -> {
              waiting.remove(c.reply);
              c.reply.tell(new Answer(s, null));
            });
  }

  @Override
  public EventHandler<String, Object> eventHandler() {
    return newEventHandlerBuilder()
        .forAnyState()
        .onAnyEvent((state, event) -> state.isEmpty() ? event.toString() : state + "," + event);
  }

  @Override
  public boolean shouldSnapshot(String state, Object event, long sequenceNr) {
    boolean wanted = snapshot;
    snapshot = false;
    return wanted;
  }

  @Override
  public SignalHandler<String> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(SnapshotCompleted.class, (state, s) -> answerAll(new Answer(state, null)))
        .onSignal(PostStop.instance(), state -> answerAll(new Answer(null, "the entity stopped: its event was not persisted")))
        .build();
  }

  private void answerAll(Answer answer) {
    waiting.forEach(w -> w.tell(answer));
    waiting.clear();
  }
}
