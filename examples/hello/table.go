package hello

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

const (
	// Application is the id of the stream processing: its consumer group.
	Application = "unique-hello-ktable-actor"
	// Store is the table of Topic: the latest state under each persistence id.
	Store = "hello-state-store"
)

// Topics of the variant whose states are in the table: commands under the persistence id, and
// what they are answered with.
const (
	Commands = "hello-commands"
	Answers  = "hello-answers"
)

// Stores of that variant beside the table.
const (
	aheadStore  = "hello-ahead"
	memoryStore = "hello-answered"
)

// session is after how long a process that died loses its partitions; one that is back before
// has them at once.
const session = 30 * time.Second

// memory is for how long a command that is sent again is answered with what it was answered.
const memory = 15 * time.Minute

// topics are those of the stream processing. Topic and Commands are read by the same tasks.
func topics() []kafka.Topic {
	short := map[string]string{"retention.ms": fmt.Sprint(time.Hour.Milliseconds())}
	return []kafka.Topic{{Name: Topic, Config: kafka.Compacted()}, {Name: Commands}, {Name: Answers, Config: short}}
}

// newTopology makes the table of Topic, which is also its changelog; and beside it, with the
// same keys, what handles commands. Whatever a command does is one transaction: its change
// on Topic, its answer on Answers, and that it was handled.
func newTopology() (*streams.Topology, error) {
	b := streams.NewBuilder()
	table := streams.TableFrom(b, Topic, serde.String(), serde.JSON[State](), streams.Materialized(Store), streams.TopicIsChangelog())
	b.AddStore(state.KeyValue(aheadStore, serde.String(), serde.JSON[lead]()))
	b.AddStore(state.Windows(memoryStore, time.Millisecond, memory, serde.String(), serde.JSON[handled]()))

	commands := streams.From(b, Commands, serde.String(), serde.JSON[message]())
	outcomes := streams.Process(commands, func() streams.Processor[string, message, string, outcome] { return &commander{} },
		serde.String(), serde.JSON[outcome](), streams.Using(Store, aheadStore, memoryStore))
	streams.FlatMap(outcomes, changes, serde.String(), serde.JSON[State]()).To(Topic)
	streams.FlatMap(outcomes, answers, serde.String(), serde.JSON[answer]()).
		To(Answers, streams.PartitionBy(func(_ string, a answer, _ int32) int32 { return a.partition }))

	streams.Process(table.ToStream(), func() streams.Processor[string, State, string, State] { return &follower{} },
		serde.String(), serde.JSON[State](), streams.Using(aheadStore))
	return b.Build()
}

// Policies of Config.OnUncaught, with Kafka Streams' names.
var policies = map[string]streams.Uncaught{
	"REPLACE_THREAD": streams.ReplaceThread, "SHUTDOWN_CLIENT": streams.ShutdownClient, "SHUTDOWN_APPLICATION": streams.ShutdownApplication,
}

func (c Config) uncaught() (streams.Uncaught, error) {
	policy, ok := policies[cmp.Or(c.OnUncaught, "SHUTDOWN_CLIENT")]
	if !ok {
		return 0, fmt.Errorf("uncaught policy %q: there are REPLACE_THREAD, SHUTDOWN_CLIENT and SHUTDOWN_APPLICATION", c.OnUncaught)
	}
	return policy, nil
}

// newApp makes the stream processing; addr is where the service is reached.
func newApp(c Config, addr string) (*streams.App, error) {
	topology, err := newTopology()
	if err != nil {
		return nil, err
	}
	policy, err := c.uncaught()
	if err != nil {
		return nil, err
	}
	return streams.New(topology, streams.Config{
		ApplicationID: Application, Kafka: c.Kafka, StateDir: c.StateDir,
		InstanceID:     instance(c, addr),
		Guarantee:      streams.ExactlyOnce,
		CommitInterval: 15 * time.Millisecond, // the half of what a command waits
		SessionTimeout: session, HeartbeatInterval: 10 * time.Second,
		OnUncaught: func(error) streams.Uncaught { return policy },
		Endpoint:   "http://" + addr + "/streams", Logger: c.Logger,
	})
}

// instance is the process's own among the members of the group: two with the same one would
// put each other out of it. One that listens where it did before is the same.
func instance(c Config, addr string) string {
	legal := func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}
	return strings.Map(legal, cmp.Or(c.Instance, hostname()+"-"+addr))
}
