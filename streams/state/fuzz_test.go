package state_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// FuzzChangelogKeys: whatever a changelog has is an error or an entry that is found by its
// key again.
func FuzzChangelogKeys(f *testing.F) {
	f.Add([]byte("key\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"), []byte("v"), int64(5))
	f.Add([]byte("key\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01"), []byte("v"), int64(5))
	f.Add([]byte{}, []byte{}, int64(-1))
	defs := []state.Definition{
		state.TimestampedKeyValue("kv", serde.Bytes(), serde.Bytes()),
		state.Windows("w", time.Second, 0, serde.Bytes(), serde.Bytes()),
		state.Session("s", 0, serde.Bytes(), serde.Bytes()),
		state.Versioned("v", time.Hour, serde.Bytes(), serde.Bytes()),
	}
	f.Fuzz(func(t *testing.T, key, value []byte, at int64) {
		for _, def := range defs {
			h := newHarness(t, def)
			p := def.Plan()
			rec := &kgo.Record{Topic: "c", Key: key, Value: value, Timestamp: time.UnixMilli(at % (1 << 50))}
			if err := p.Restored(h.batch, h.space, []*kgo.Record{rec}); err != nil {
				continue
			}
			h.must(h.batch.Commit())
			all := collect(t, p.Read(h.space, plan.Query{}))
			one := collect(t, p.Read(h.space, plan.Query{Key: p.PartitionKey(key)}))
			want := 1
			if value == nil && p.Kind != "versioned" {
				want = 0
			}
			if len(all) != want || len(one) != want {
				t.Errorf("%s: %d entries, %d of the key; want %d", p.Kind, len(all), len(one), want)
			}
		}
	})
}
