package connect

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/transform"
)

// TestMemoryOfABatch: records keep what was written for them, however many there are and however
// wide, also in memory that had other records before.
func TestMemoryOfABatch(t *testing.T) {
	e := newEncoder(&run{w: &Worker{}, keys: &converter.JSON{}, values: &converter.JSON{}, headers: converters.Simple{}, chain: &transform.Chain{}})
	text, context := data.Of(data.String), []plugin.Header{{Key: "context", Schema: data.Of(data.String), Value: "the same"}}
	m := &memory{}
	for round := range 3 {
		var made []*kgo.Record
		var want []string
		for i := range 3 * recordsAtOnce {
			r := plugin.Record{Topic: fmt.Sprint("topic", i%2), Partition: plugin.NoPartition, Timestamp: plugin.NoTimestamp, KeySchema: text, Key: fmt.Sprint(i), Headers: context}
			switch {
			case i%7 == 1: // a tombstone
				r.KeySchema, r.Key = nil, nil
			case i%100 == 50:
				r.ValueSchema, r.Value = text, strings.Repeat("x", (round+1)*textAtOnce/2)
			default:
				r.ValueSchema, r.Value = text, fmt.Sprint("value ", round, i)
			}
			if i%9 == 0 {
				r.Headers = []plugin.Header{{Key: "own", Schema: text, Value: fmt.Sprint(i)}}
			}
			key, _ := e.keys.Encode("", r.KeySchema, r.Key)
			value, _ := e.values.Encode("", r.ValueSchema, r.Value)
			want = append(want, fmt.Sprintf("%s %s %s %t %s", r.Topic, key, value, value == nil, r.Headers[0].Value))
			out, err := e.encode(m, &r)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, out)
		}
		for i, r := range made {
			got := fmt.Sprintf("%s %s %s %t %s", r.Topic, r.Key, r.Value, r.Value == nil, r.Headers[0].Value)
			if got != want[i] {
				t.Fatalf("round %d, record %d is %.200s, not %.200s", round, i, got, want[i])
			}
			if _ = append(r.Key, "!!"...); bytes.HasPrefix(r.Value, []byte("!!")) {
				t.Fatalf("what is put behind key %d is in its value", i)
			}
		}
		m.empty(made)
	}
	if m.n != 0 || len(m.texts) == 0 {
		t.Errorf("%d records are left in %d texts", m.n, len(m.texts))
	}
}

// TestBadValueLeavesNothing of it in the memory of others.
func TestBadValueLeavesNothing(t *testing.T) {
	e := newEncoder(&run{w: &Worker{}, keys: &converter.JSON{}, values: &converter.JSON{}, headers: converters.Simple{}, chain: &transform.Chain{}})
	m, text := &memory{}, data.Of(data.String)
	good := plugin.Record{Topic: "t", ValueSchema: text, Value: "good", Timestamp: plugin.NoTimestamp}
	first, err := e.encode(m, &good)
	if err != nil {
		t.Fatal(err)
	}
	bad := good
	bad.ValueSchema, bad.Value = nil, []any{"begun", struct{}{}}
	if _, err := e.encode(m, &bad); err == nil {
		t.Fatal("what is no data was written")
	}
	if second, err := e.encode(m, &good); err != nil || string(second.Value) != `"good"` || string(first.Value) != `"good"` {
		t.Errorf("%v: %s, %s", err, first.Value, second.Value)
	}
}
