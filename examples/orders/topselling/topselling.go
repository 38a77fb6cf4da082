// Package topselling is a service that tells which restaurants sell most: live, by stream
// processing of what the order and restaurant services publish. It has no database; its counts
// are in a store that its own changelog topic restores.
package topselling

import (
	"errors"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/streams"
)

// Application is the id of the stream processing: its consumer group.
const Application = "top-selling-restaurants"

// StateDir is where the stores are.
var StateDir = service.Text{Name: "state-dir", Help: "Folder of the stream processing's stores, for one process at a time. Default: in the user's cache folder."}

// Definition is the top-selling service.
func Definition() service.Definition {
	return service.Definition{
		System:     "orders",
		Codec:      service.CodecAvro,
		Schemas:    message.Schemas(),
		Name:       "topselling",
		Summary:    "Tells which restaurants sell most, minute by minute.",
		Port:       8112,
		NoDatabase: true,
		Consumes:   []string{message.TypeOrderChanged, message.TypeRestaurantChanged},
		Texts:      []service.Text{StateDir},
		Build:      build,
	}
}

func build(env service.Env) (service.Parts, error) {
	app, err := newApp(env)
	if err != nil {
		return service.Parts{}, err
	}
	return service.Parts{
		Streams: []*streams.App{app},
		Routes:  func(env service.Env, r *service.Router) { routes(env, app, r) },
	}, nil
}

// newApp counts exactly once. A message that cannot be read is a dead letter: the counts of the
// others go on. One whose schema nobody can tell now is waited for.
func newApp(env service.Env) (*streams.App, error) {
	topology, err := newTopology(env.Payloads, topics{env.Topic(message.TypeOrderChanged), env.Topic(message.TypeRestaurantChanged)})
	if err != nil {
		return nil, err
	}
	return streams.New(topology, streams.Config{
		ApplicationID: Application, Kafka: env.Kafka, InstanceID: legal(env.Instance), StateDir: env.Text(StateDir),
		Guarantee:      streams.ExactlyOnce,
		CommitInterval: 500 * time.Millisecond, // people look at it
		Workers:        1,
		MemoryBytes:    64 << 20,
		OnFailure:      verdict,
		OnUncaught:     uncaught,
		Endpoint:       env.StreamsURL + "/" + Application,
		Logger:         env.Log, Metrics: env.Metrics,
	})
}

func verdict(f *streams.Failure) streams.Verdict {
	if errors.Is(f.Err, event.ErrUnavailable) {
		return streams.Stop
	}
	return streams.DeadLetter
}

// uncaught: where the schema registry was away, what is not committed is read once more.
func uncaught(err error) streams.Uncaught {
	if errors.Is(err, event.ErrUnavailable) {
		return streams.ReplaceThread
	}
	return streams.ShutdownClient
}

// legal is a name with the characters that Kafka allows in one.
func legal(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
}
