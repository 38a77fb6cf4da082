package streamstest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

// wordCount counts the words of lines.
func wordCount() (*streams.Topology, error) {
	b := streams.NewBuilder()
	lines := streams.From(b, "lines", serde.String(), serde.String())
	words := streams.FlatMapValues(lines, strings.Fields, serde.String())
	byWord := streams.GroupBy(words, func(_, word string) string { return word }, serde.String())
	streams.Count(byWord, streams.Materialized("counts")).ToStream().To("words", streams.Named("out"))
	return b.Build()
}

func Example() {
	var t testing.TB = &quiet{} // a test's *testing.T
	topology, err := wordCount()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology)
	lines := streamstest.Input(d, "lines", serde.String(), serde.String())
	words := streamstest.Output(d, "words", serde.String(), serde.Int64())

	lines.Pipe("poem", "a rose is a rose", time.UnixMilli(1000))
	for _, r := range words.ReadAll() {
		fmt.Println(r.Key, r.Value, r.Timestamp)
	}
	d.Restart() // restores the counts from their changelog
	lines.Pipe("poem", "is a rose", time.UnixMilli(2000))
	fmt.Println(words.Len(), "more")

	counts := streamstest.Store[state.ReadOnlyKeyValue[string, state.Timestamped[int64]]](d, "counts")
	n, _, err := counts.Get("rose")
	fmt.Println("rose:", n.Value, err)
	// Output:
	// a 1 1000
	// rose 1 1000
	// is 1 1000
	// a 2 1000
	// rose 2 1000
	// 3 more
	// rose: 3 <nil>
}

// quiet stands for a *testing.T in the example.
type quiet struct{ testing.TB }

func (*quiet) Helper()                   {}
func (*quiet) Cleanup(func())            {}
func (*quiet) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (*quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
