package streams_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

const history = time.Minute

func versionedTable(b *streams.Builder, topic string) *streams.Table[string, string] {
	return table(b, topic, streams.Versioned(history), streams.Materialized(topic+"-store"))
}

func TestVersionedTableIsRestored(t *testing.T) {
	b := streams.NewBuilder()
	table := versionedTable(b, "R")
	streams.LeftJoinTable(streams.From(b, "L", str, str), table, leftOnly, str).To("out")
	streams.LeftJoinTable(streams.From(b, "held", str, str), table, leftOnly, str, streams.Grace(10*time.Millisecond)).To("held-out")
	d := streamstest.New(t, built(t, b))
	l, r := streamstest.Input(d, "L", str, str), streamstest.Input(d, "R", str, str)
	held := streamstest.Input(d, "held", str, str)
	r.Pipe("key", "a", time.UnixMilli(10))
	r.Pipe("key", "b", time.UnixMilli(20))
	held.Pipe("key", "H", time.UnixMilli(15))
	d.Restart()
	held.Pipe("key", "I", time.UnixMilli(25))
	if got := shown(streamstest.Output(d, "held-out", str, str).ReadAll()); got != "Ha@15" {
		t.Errorf("held back: %s", got)
	}
	l.Pipe("key", "A", time.UnixMilli(15))
	if got := shown(streamstest.Output(d, "out", str, str).ReadAll()); got != "Aa@15" {
		t.Error(got)
	}
}
