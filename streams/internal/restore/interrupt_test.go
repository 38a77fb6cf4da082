package restore

import (
	"fmt"
	"maps"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// Restoring is stopped in the middle, again and again, and goes on where it was: each
// record is applied once, and the contents are exact.
func TestInterruptedRestoreGoesOn(t *testing.T) {
	random := testenv.Rand(t)
	e := inProcess(t)
	want, total := map[string]string{}, int64(40_000)
	var batch []*kgo.Record
	for i := range total {
		key := fmt.Sprint("key", random.IntN(3000))
		value := fmt.Sprint("value", i)
		if want[key] = value; i%7 == 0 {
			value = "-"
			delete(want, key)
		}
		batch = append(batch, e.records(key, value)...)
	}
	small := e.newClient(kgo.ProducerBatchMaxBytes(16 << 10)) // a fetch brings whole batches
	e.must(small.ProduceSync(t.Context(), batch...).FirstErr())
	e.must(e.restorer.Stop(t.Context()))
	e.must(e.db.Close())

	dir, applied, rounds := t.TempDir(), int64(0), 0
	e.fetch = 32 << 10
	for rounds = range 100 {
		e.open(dir)
		j := e.add(e.spec(Active))
		begin := applied
		testenv.Wait(t, "some records", soon, func() bool { return j.Progress().Records > 0 || j.Progress().Done })
		e.must(e.restorer.Stop(t.Context()))
		p := j.Progress()
		if applied += p.Records; p.Begin >= 0 && p.Begin != begin {
			t.Errorf("began at %d, %d were applied before", p.Begin, begin)
		}
		if p.Done {
			break
		}
		e.must(e.db.Close())
	}
	if rounds < 2 {
		t.Errorf("interrupted %d times", rounds)
	}
	if applied != total {
		t.Errorf("%d records applied, %d were there", applied, total)
	}
	if got := e.contents(e.space); !maps.Equal(got, want) {
		t.Errorf("%d keys, want %d, or other values", len(got), len(want))
	}
}
