package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

// gathering is a topology on the test driver.
type gathering struct {
	*testing.T
	d   *streamstest.Driver
	in  *streamstest.InputTopic[string, line]
	out *streamstest.OutputTopic[string, flushed]
	end *streamstest.OutputTopic[string, flushed]
}

func gather(t *testing.T, l limits, opts ...streamstest.Option) gathering {
	t.Helper()
	topology, err := newTopology(l)
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology, opts...)
	return gathering{t, d, streamstest.Input(d, linesTopic, serde.String(), serde.JSON[line]()),
		streamstest.Output(d, batchesTopic, serde.String(), serde.JSON[flushed]()),
		streamstest.Output(d, drainedTopic, serde.String(), serde.JSON[flushed]())}
}

func (g gathering) pipe(lines ...string) {
	for _, text := range lines {
		g.in.Pipe("k", line{Text: text})
	}
}

// flushes wants these batches, and no others, since it was asked last.
func (g gathering) flushes(when string, want ...string) {
	g.Helper()
	var got []string
	for _, r := range g.out.ReadAll() {
		got = append(got, strings.Join(r.Value.Lines, ","))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		g.Errorf("%s: flushed %q, want %q", when, got, want)
	}
}

var usual = limits{items: 100, bytes: 1 << 20, linger: 3 * time.Second}

func TestTopologyFlushesFullBatchesAndTheRest(t *testing.T) {
	g := gather(t, limits{items: 2, bytes: 1 << 20, linger: 3 * time.Second})
	g.pipe("a", "b", "c", "d", "e")
	g.flushes("at once", "a,b", "c,d")
	g.d.Advance(3 * time.Second)
	g.flushes("after the linger", "e")
	g.d.Advance(time.Hour)
	g.flushes("idle")
}

// TestTopologyTimer: it belongs to the first line of a batch, whoever follows; one of a batch
// that was full does not flush the next.
func TestTopologyTimer(t *testing.T) {
	g := gather(t, limits{items: 3, bytes: 1 << 20, linger: 3 * time.Second})
	g.pipe("a")
	g.d.Advance(2 * time.Second)
	g.pipe("b")
	g.flushes("before")
	g.d.Advance(time.Second)
	g.flushes("3 s after the first", "a,b")
	g.pipe("c")
	g.d.Advance(2 * time.Second)
	g.pipe("d", "e", "f")
	g.flushes("full", "c,d,e")
	g.d.Advance(time.Second)
	g.flushes("when the timer of the batch before would have ended")
	g.d.Advance(2 * time.Second)
	g.flushes("at its own", "f")
}

func TestTopologyBytes(t *testing.T) {
	g := gather(t, limits{items: 100, bytes: 10, linger: time.Hour})
	g.pipe("aa", "bbb", "cccccccc", "d", "eee")
	g.flushes("by bytes", "aa", "bbb", "cccccccc", "d,eee")
}

// TestTopologyDrain is answered after the flush, in its transaction.
func TestTopologyDrain(t *testing.T) {
	g := gather(t, usual)
	g.pipe("a", "b")
	g.in.Pipe("k", line{Drain: "first"})
	g.in.Pipe("k", line{Drain: "second"})
	g.flushes("drained", "a,b")
	var got []string
	for _, r := range g.end.ReadAll() {
		got = append(got, r.Value.Drained)
	}
	if fmt.Sprint(got) != "[first second]" {
		t.Errorf("answers %v", got)
	}
	g.d.Advance(time.Hour)
	g.flushes("idle")
}

// TestTopologyKeepsWhatWaits: over failed flushes and restarts nothing is lost, twice or out
// of order, and who has waited goes on waiting from where they were.
func TestTopologyKeepsWhatWaits(t *testing.T) {
	g := gather(t, limits{items: 3, bytes: 1 << 20, linger: 3 * time.Second}, streamstest.WithCommitEvery(1000))
	g.pipe("a", "b")
	g.d.Commit()
	g.pipe("c", "d")
	g.d.FailCommit() // of the flush
	g.d.Commit()
	g.flushes("after it failed", "a,b,c")
	g.d.Advance(2 * time.Second)
	g.d.Restart()
	g.d.Advance(999 * time.Millisecond)
	g.flushes("after a restart, before its time")
	g.d.Advance(time.Millisecond)
	g.d.Commit()
	g.flushes("after a restart", "d")
	g.pipe("e", "f", "g", "h")
	g.d.Restart()
	g.flushes("full", "e,f,g")
	g.d.Advance(3 * time.Second)
	g.d.Commit()
	g.flushes("the last", "h")
}

// TestTopologyGathersByPartition: keys keep their order.
func TestTopologyGathersByPartition(t *testing.T) {
	g := gather(t, limits{items: 2, bytes: 1 << 20, linger: 3 * time.Second}, streamstest.WithPartitions(4))
	for i := range 40 {
		g.in.Pipe(fmt.Sprint("key-", i%5), line{Text: fmt.Sprintf("%d.%d", i%5, i/5)})
	}
	g.d.Advance(3 * time.Second)
	next := map[string]int{}
	for _, r := range g.out.ReadAll() {
		for _, text := range r.Value.Lines {
			key, n, _ := strings.Cut(text, ".")
			if n != fmt.Sprint(next[key]) {
				t.Errorf("%s came where %s.%d was due", text, key, next[key])
			}
			next[key]++
		}
	}
	if fmt.Sprint(next) != "map[0:8 1:8 2:8 3:8 4:8]" {
		t.Errorf("flushed are %v", next)
	}
}
