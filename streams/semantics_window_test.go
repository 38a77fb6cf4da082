package streams_test

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

// flow is inputs and what comes of each: "topic:key=value@time" (the topic is in unless
// given), or restart, or abort, which aborts the transaction of what follows it.
type flow struct {
	name     string
	build    func(b *streams.Builder)
	in, want string
}

var windowFlows = []flow{
	{"tumbling windows take late records within the grace", func(b *streams.Builder) {
		windows(streams.CountWindows(grouped(b), streams.Tumbling(5*ms).Grace(2*ms))).To("out")
	}, "a=x@1 a=x@4 b=x@0 a=x@5 a=x@3 a=x@7 a=x@4 a=-@6 -=x@8", "a[0,5)=1@1 a[0,5)=2@4 b[0,5)=1@0 a[5,10)=1@5 a[0,5)=3@4 a[5,10)=2@7 · a[5,10)=3@7 ·"},
	{"hopping windows overlap, and begin at 0", func(b *streams.Builder) {
		windows(streams.CountWindows(grouped(b), streams.Hopping(10*ms, 4*ms))).To("out")
	}, "a=x@3 a=x@9 a=x@13 a=x@12", "a[0,10)=1@3 a[0,10)=2@9,a[4,14)=1@9,a[8,18)=1@9 a[4,14)=2@13,a[8,18)=2@13,a[12,22)=1@13 a[4,14)=3@13,a[8,18)=3@13,a[12,22)=2@13"},
	{"a hopping record may be late for some of its windows", func(b *streams.Builder) {
		windows(streams.CountWindows(grouped(b), streams.Hopping(10*ms, 5*ms))).To("out")
	}, "a=x@15 a=x@9", "a[10,20)=1@15,a[15,25)=1@15 ·"},
	{"a windowed reduction of nothing is nothing", func(b *streams.Builder) {
		windows(streams.ReduceWindows(grouped(b), streams.Tumbling(5*ms), concat)).To("out")
	}, "a=-@1 a=x@2 a=y@1", "a[0,5)=-@1 a[0,5)=x@2 a[0,5)=xy@2"},
	{"a windowed aggregation", func(b *streams.Builder) {
		windows(streams.AggregateWindows(grouped(b), streams.Tumbling(5*ms), bang, appended, str)).To("out")
	}, "a=x@1 a=y@2", "a[0,5)=!ax@1 a[0,5)=!axay@2"},
	{"a windowed count of windows: the prior value is subtracted", func(b *streams.Builder) {
		t := streams.CountWindows(grouped(b), streams.Tumbling(5*ms))
		g := streams.GroupTableBy(t, func(k state.Windowed[string], n int64) (string, int64) { return k.Key, n }, str, serde.Int64())
		numbers(streams.ReduceTable(g, func(a, n int64) int64 { return a + n }, func(a, n int64) int64 { return a - n })).To("out")
	}, "a=x@1 a=x@6 a=x@7", "a=1@1 a=2@6 a=3@7"},
	{"sessions merge", func(b *streams.Builder) {
		windows(streams.CountSessions(grouped(b), streams.Sessions(5*ms).Grace(20*ms))).To("out")
	}, "a=x@0 a=x@11 a=x@5 a=x@6 b=x@6 a=-@12", "a[0,0)=1@0 a[11,11)=1@11 a[0,0)=-@0,a[0,5)=2@5 a[0,5)=-@5,a[11,11)=-@11,a[0,11)=4@11 b[6,6)=1@6 a[0,11)=-@11,a[0,12)=5@12"},
	{"a record of a session's own time replaces it", func(b *streams.Builder) {
		windows(streams.ReduceSessions(grouped(b), streams.Sessions(5*ms), concat)).To("out")
	}, "a=x@10 a=y@10 a=z@12 a=l@4 a=m@7", "a[10,10)=x@10 a[10,10)=xy@10 a[10,10)=-@10,a[10,12)=xyz@12 · a[10,12)=-@12,a[7,12)=xyzm@12"},
	{"a late record that meets a session is not late", func(b *streams.Builder) {
		windows(streams.AggregateSessions(grouped(b), streams.Sessions(5*ms), bang, appended, func(_, a, b string) string { return a + b }, str)).To("out")
	}, "a=x@10 b=y@14 a=z@8 a=w@2", "a[10,10)=!ax@10 b[14,14)=!by@14 a[10,10)=-@10,a[8,10)=!!axaz@10 ·"},
	{"sliding windows of three records", func(b *streams.Builder) {
		windows(streams.CountWindows(grouped(b), streams.Sliding(10*ms).Grace(50*ms))).To("out")
	}, "a=x@20 a=x@25 a=x@40 a=x@22 -=x@41 a=-@41", "a[10,20)=1@20 a[21,31)=1@25,a[15,25)=2@25 a[30,40)=1@40 " +
		"a[21,31)=2@25,a[15,25)=3@25,a[12,22)=2@22,a[23,33)=1@25 · ·"},
	{"early records share the window that begins at 0", func(b *streams.Builder) {
		windows(streams.ReduceWindows(grouped(b), streams.Sliding(10*ms).Grace(50*ms), concat)).To("out")
	}, "a=x@3 a=y@5 a=z@4 a=w@12", "a[0,10)=x@3 a[4,14)=y@5,a[0,10)=xy@5 a[4,14)=yz@5,a[5,15)=y@5,a[0,10)=xyz@5 " +
		"a[5,15)=yw@12,a[4,14)=yzw@12,a[6,16)=w@12,a[2,12)=xyzw@12"},
	{"windows are emitted when they close", func(b *streams.Builder) {
		windows(streams.CountWindows(grouped(b), streams.Tumbling(5*ms).Grace(1*ms), streams.EmitOnClose())).To("out")
	}, "b=x@1 a=x@4 a=x@3 a=x@5 b=x@6 a=x@7 c=x@100 a=x@7 c=x@106", "· · · · a[0,5)=2@4,b[0,5)=1@1 · a[5,10)=2@7,b[5,10)=1@6 · c[100,105)=1@100"},
	{"sliding windows are emitted when they close", func(b *streams.Builder) {
		windows(streams.CountWindows(grouped(b), streams.Sliding(5*ms), streams.EmitOnClose())).To("out")
	}, "a=x@10 a=x@11 a=x@12 a=x@20", "· a[5,10)=1@10 a[6,11)=2@11 a[7,12)=3@12,a[11,16)=2@12,a[12,17)=1@12"},
	{"sessions are emitted when they close", func(b *streams.Builder) {
		windows(streams.CountSessions(grouped(b), streams.Sessions(5*ms), streams.EmitOnClose())).To("out")
	}, "a=x@1 b=x@2 a=x@6 a=x@7 c=x@9 a=x@30", "· · · · b[2,2)=1@2 a[1,7)=3@7,c[9,9)=1@9"},
	{"what closed is not emitted again after a restart", func(b *streams.Builder) {
		windows(streams.CountWindows(grouped(b), streams.Tumbling(5*ms), streams.EmitOnClose(), streams.Retention(time.Hour))).To("out")
	}, "a=x@1 a=x@7 restart a=x@8 a=x@4 a=x@10", "· a[0,5)=1@1 · · · a[5,10)=2@8"},
}

func TestWindows(t *testing.T) { runFlows(t, windowFlows) }

const ms = time.Millisecond

func grouped(b *streams.Builder) *streams.Grouped[string, string] { return text(b, "in").GroupByKey() }

func bang() string { return "!" }

func appended(k, v, a string) string { return a + k + v }

// windows are a table's changes as text: key[start,end) for
// sessions too.
func windows[V any](t *streams.Table[state.Windowed[string], V]) *streams.Stream[string, string] {
	values := streams.MapValues(t.ToStream(), func(v V) string { return fmt.Sprint(v) }, str)
	return streams.SelectKey(values, func(k state.Windowed[string], _ string) string {
		return fmt.Sprintf("%s[%d,%d)", k.Key, k.Window.Start, k.Window.End)
	}, str)
}

func runFlows(t *testing.T, flows []flow) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) { f.run(t) })
	}
}

func (f flow) run(t *testing.T) {
	b := streams.NewBuilder()
	f.build(b)
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology)
	out := streamstest.Output(d, "out", str, str)
	ins, wants := strings.Fields(f.in), strings.Fields(f.want)
	if len(ins) != len(wants) {
		t.Fatalf("%d inputs, %d results", len(ins), len(wants))
	}
	for i, in := range ins {
		switch in {
		case "restart":
			d.Restart()
		case "abort":
			d.FailCommit()
		default:
			topic, entry, ok := strings.Cut(in, ":")
			if !ok {
				topic, entry = "in", in
			}
			streamstest.Input(d, topic, str, str).PipeRecord(parseEntry(t, entry))
		}
		if got := entries(out.ReadAll()); got != wants[i] {
			t.Errorf("input %d, %s:\ngot  %s\nwant %s", i+1, in, got, wants[i])
		}
	}
}
