package streams_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

var errPoison = errors.New("poison")

// Each breaks on the value x, at the node that want names.
var breaking = []struct {
	name  string
	build func(s *streams.Stream[string, string]) *streams.Stream[string, string]
	want  string
}{
	{"filter", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return s.Filter(func(_, v string) bool { poison(v); return true })
	}, "KSTREAM-FILTER-0000000001"},
	{"map below others", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return streams.MapValues(s.Filter(always), func(v string) string { poison(v); return v }, str, streams.Named("mapper"))
	}, "mapper"},
	{"aggregation", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return s.GroupByKey().Reduce(func(_, v string) string { poison(v); return v }).ToStream()
	}, "KSTREAM-REDUCE-0000000002"},
	{"serde of a sink", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return streams.MapValues(s, same, serde.Serde[string](fussy{str}))
	}, "KSTREAM-SINK-000000000"},
	{"split", func(s *streams.Stream[string, string]) *streams.Stream[string, string] {
		return s.Split(func(_, v string) bool { poison(v); return true })[0]
	}, "KSTREAM-BRANCH-0000000001"},
}

func poison(v string) {
	if v == "x" {
		panic(errPoison)
	}
}

// fussy does not encode x.
type fussy struct{ serde.Serde[string] }

func (f fussy) Append(dst []byte, v string) ([]byte, error) {
	if v == "x" {
		return nil, errPoison
	}
	return f.Serde.Append(dst, v)
}

func TestFailuresNameTheirNode(t *testing.T) {
	for _, c := range breaking {
		t.Run(c.name, func(t *testing.T) {
			var failures []*streams.Failure
			d := startBreaking(t, c.build, func(f *streams.Failure) streams.Verdict {
				failures = append(failures, f)
				return streams.Skip
			})
			in := streamstest.Input(d, "in", str, str)
			for i, v := range []string{"1", "x", "2"} {
				in.Pipe("k", v, time.UnixMilli(int64(i)))
			}
			if got := entries(streamstest.Output(d, "out", str, str).ReadAll()); got != "k=1@0,k=2@2" {
				t.Errorf("got %s", got)
			}
			if len(failures) != 1 {
				t.Fatalf("asked %d times", len(failures))
			}
			f := failures[0]
			if !strings.HasPrefix(f.Node, c.want) || f.Stage != "process" || f.Record.Offset != 1 || !errors.Is(f.Err, errPoison) {
				t.Errorf("failure %v", f)
			}
			var panicked *streams.PanicError
			if errors.As(f.Err, &panicked) && !strings.Contains(string(panicked.Stack), "poison") {
				t.Errorf("its stack does not show where:\n%s", panicked.Stack)
			}
		})
	}
}

func TestFailureStops(t *testing.T) {
	d := startBreaking(t, breaking[1].build, nil)
	err := streamstest.Input(d, "in", str, str).TryPipe("k", "x")
	var f *streams.Failure
	if !errors.As(err, &f) || f.Node != "mapper" {
		t.Errorf("got %v", err)
	}
}

func startBreaking(t *testing.T, build func(*streams.Stream[string, string]) *streams.Stream[string, string], onFailure func(*streams.Failure) streams.Verdict) *streamstest.Driver {
	b := streams.NewBuilder()
	build(text(b, "in")).To("out")
	return streamstest.New(t, built(t, b), streamstest.WithConfig(streams.Config{ApplicationID: "app", OnFailure: onFailure}))
}

func TestTimestampOfTheRecord(t *testing.T) {
	b := streams.NewBuilder()
	streams.From(b, "in", str, str, streams.WithTimestamp(func(r streams.Record[string, string]) int64 {
		if r.Value == "drop" {
			return -1
		}
		return r.Timestamp * 10
	})).To("out")
	d := streamstest.New(t, built(t, b))
	in := streamstest.Input(d, "in", str, str)
	in.Pipe("k", "v", time.UnixMilli(7))
	in.Pipe("k", "drop", time.UnixMilli(8))
	if got := entries(streamstest.Output(d, "out", str, str).ReadAll()); got != "k=v@70" {
		t.Error(got)
	}
}

func TestToTopics(t *testing.T) {
	b := streams.NewBuilder()
	text(b, "in").ToTopics(func(r streams.Record[string, string]) string { return r.Value })
	skip := func(*streams.Failure) streams.Verdict { return streams.Skip }
	d := streamstest.New(t, built(t, b), streamstest.WithConfig(streams.Config{ApplicationID: "app", OnFailure: skip}))
	in := streamstest.Input(d, "in", str, str)
	for i, topic := range []string{"a", "b", "not/valid", "a"} {
		in.Pipe("k", topic, time.UnixMilli(int64(i)))
	}
	a, other := streamstest.Output(d, "a", str, str), streamstest.Output(d, "b", str, str)
	if a, other := entries(a.ReadAll()), entries(other.ReadAll()); a != "k=a@0,k=a@3" || other != "k=b@1" {
		t.Errorf("a has %s, b %s", a, other)
	}
}
