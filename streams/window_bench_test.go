package streams

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/serde"
)

// BenchmarkWindowedCount counts by key and tumbling window.
func BenchmarkWindowedCount(b *testing.B) {
	benchmark(b, func(t *Builder) {
		CountWindows(From(t, "in", serde.String(), serde.Bytes()).GroupByKey(), Tumbling(time.Second).Grace(time.Second)).ToStream().To("out")
	})
}

// BenchmarkStreamJoin joins a stream with itself, so that each record meets those before it.
func BenchmarkStreamJoin(b *testing.B) {
	benchmark(b, func(t *Builder) {
		s := From(t, "in", serde.String(), serde.Int64())
		JoinStreams(s, s, func(l, r int64) int64 { return l + r }, JoinWithin(20*time.Millisecond), serde.Int64()).To("out")
	})
}

// BenchmarkSessions counts sessions that go on and on.
func BenchmarkSessions(b *testing.B) {
	benchmark(b, func(t *Builder) {
		CountSessions(From(t, "in", serde.String(), serde.Bytes()).GroupByKey(), Sessions(time.Second)).ToStream().To("out")
	})
}
