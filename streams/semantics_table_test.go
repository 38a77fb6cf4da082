package streams_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

// A chain of joins looks values of the first one up without a store of it.
func TestJoinOfAJoin(t *testing.T) {
	check(t, func(b *streams.Builder) {
		l, r := streams.TableFrom(b, "L", str, str), streams.TableFrom(b, "R", str, str)
		j := streams.LeftJoinTables(l, r, leftOnly, str)
		streams.JoinTables(r, j, both, str).ToStream().To("out")
	}, strings.Fields("LA@1 Ra@2 LB@4 Rb@3 L∅@5 R∅@6"), "· aAa@2,aAa@2 aBa@4 bBb@4,bBb@4 ∅@5 ·")
}

func both(l, r string) string { return l + r }

func leftOnly(l string, r *string) string { return l + orDash(r) }

func either(l, r *string) string { return orDash(l) + orDash(r) }

func orDash(v *string) string {
	if v == nil {
		return "-"
	}
	return *v
}

// check pipes records one by one and compares what comes of each.
func check(t *testing.T, build func(b *streams.Builder), in []string, want string) {
	t.Helper()
	b := streams.NewBuilder()
	build(b)
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology)
	out := streamstest.Output(d, "out", str, str)
	wants := strings.Fields(want)
	if len(wants) != len(in) {
		t.Fatalf("%d inputs, %d results", len(in), len(wants))
	}
	inputs := map[string]*streamstest.InputTopic[string, string]{}
	for i, record := range in {
		side, value, at := parse(t, record)
		if inputs[side] == nil {
			inputs[side] = streamstest.Input(d, side, str, str)
		}
		if value == "∅" {
			inputs[side].Tombstone("key", at)
		} else {
			inputs[side].Pipe("key", value, at)
		}
		if got := shown(out.ReadAll()); got != wants[i] {
			t.Errorf("input %d, %s: got %s, want %s", i+1, record, got, wants[i])
		}
	}
}

func parse(t *testing.T, record string) (side, value string, at time.Time) {
	value, timestamp, ok := strings.Cut(record[1:], "@")
	var ms int64
	if _, err := fmt.Sscan(timestamp, &ms); err != nil || !ok {
		t.Fatalf("%q: %v", record, err)
	}
	return record[:1], value, time.UnixMilli(ms)
}

// shown is how the tables above write results.
func shown(records []streams.Record[string, string]) string {
	if len(records) == 0 {
		return "·"
	}
	var out []string
	for _, r := range records {
		if r.NoValue {
			r.Value = "∅"
		}
		out = append(out, fmt.Sprintf("%s@%d", r.Value, r.Timestamp))
	}
	return strings.Join(out, ",")
}
