package sink_test

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/sink"
)

// A copy of a table of counts, in whatever Target. See storage/redis and storage/table
// for those there are.
func Example() {
	b := streams.NewBuilder()
	words := streams.From(b, "words", serde.String(), serde.String())
	streams.Count(words.GroupByKey(), streams.Materialized("counts"))
	topology, err := b.Build()
	if err != nil {
		panic(err)
	}
	topic, err := topology.Changelog("word-count", "counts")
	if err != nil {
		panic(err)
	}
	s, err := sink.New(newMemory(), sink.Config{
		Name: "counts-to-memory", Topic: topic,
		Kafka: kafka.Config{Brokers: []string{"127.0.0.1:9092"}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(topic, s.Stats().Applied, s.Stop(context.Background()))
	// Output: word-count-counts-changelog 0 <nil>
}
