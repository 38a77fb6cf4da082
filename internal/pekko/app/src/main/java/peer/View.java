package peer;

import com.fasterxml.jackson.databind.JsonNode;
import io.r2dbc.spi.Statement;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.query.typed.EventEnvelope;
import org.apache.pekko.persistence.query.Offset;
import org.apache.pekko.persistence.r2dbc.query.javadsl.R2dbcReadJournal;
import org.apache.pekko.projection.ProjectionBehavior;
import org.apache.pekko.projection.ProjectionId;
import org.apache.pekko.projection.eventsourced.javadsl.EventSourcedProvider;
import org.apache.pekko.projection.javadsl.SourceProvider;
import org.apache.pekko.projection.r2dbc.javadsl.R2dbcHandler;
import org.apache.pekko.projection.r2dbc.javadsl.R2dbcProjection;
import org.apache.pekko.projection.r2dbc.javadsl.R2dbcSession;

/** An exactly-once projection into the table peer_view (pid, seq_nr, event). */
final class View {
  interface Command {}

  static final class Stop implements Command {
    final ActorRef<Done> reply;

    Stop(ActorRef<Done> reply) {
      this.reply = reply;
    }
  }

  static ActorRef<Command> start(ActorSystem<?> system, JsonNode request) {
    int min = request.get("min").asInt(), max = request.get("max").asInt();
    SourceProvider<Offset, EventEnvelope<Object>> source =
        EventSourcedProvider.eventsBySlices(
            system, R2dbcReadJournal.Identifier(), request.get("entityType").asText(), min, max);
    ProjectionId id = ProjectionId.of(request.get("name").asText(), min + "-" + max);
    Behavior<ProjectionBehavior.Command> projection =
        ProjectionBehavior.create(
            R2dbcProjection.exactlyOnce(id, Optional.empty(), source, Insert::new, system));
    String name = "view-" + System.nanoTime();
    return system.systemActorOf(
        Behaviors.setup(
            context -> {
              ActorRef<ProjectionBehavior.Command> running = context.spawn(projection, "projection");
              return Behaviors.receive(Command.class)
                  .onMessage(
                      Stop.class,
                      stop -> {
                        context.watchWith(running, new Stopped(stop.reply));
                        running.tell(ProjectionBehavior.stopMessage());
                        return Behaviors.same();
                      })
                  .onMessage(
                      Stopped.class,
                      stopped -> {
                        stopped.reply.tell(Done.getInstance());
                        return Behaviors.stopped();
                      })
                  .build();
            }),
        name,
        Props.empty());
  }

  private static final class Stopped implements Command {
    final ActorRef<Done> reply;

    Stopped(ActorRef<Done> reply) {
      this.reply = reply;
    }
  }

  private static final class Insert extends R2dbcHandler<EventEnvelope<Object>> {
    @Override
    public CompletionStage<Done> process(R2dbcSession session, EventEnvelope<Object> envelope) {
      Statement statement =
          session
              .createStatement("INSERT INTO peer_view (pid, seq_nr, event) VALUES ($1, $2, $3)")
              .bind(0, envelope.persistenceId())
              .bind(1, envelope.sequenceNr())
              .bind(2, envelope.event().toString());
      return session.updateOne(statement).thenApply(n -> Done.getInstance());
    }
  }

  private View() {}
}
