package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// trimmed is a topic whose first records somebody deletes, all the time.
type trimmed struct {
	*retained
	random  *rand.Rand
	mu      sync.Mutex
	asked   map[int32]int64
	deleted map[int32]int64 // acknowledged
	told    map[string]int
}

func newTrimmed(w *world) *trimmed {
	t := &trimmed{random: w.fork(), asked: map[int32]int64{}, deleted: map[int32]int64{}, told: map[string]int{}}
	t.retained = newRetained(w, "trimmed", t.keep, map[string]string{"retention.ms": "-1"})
	return t
}

// keep: what nobody asked to delete.
func (t *trimmed) keep(all []place, starts map[int32]int64, _ time.Time) (missing []place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range all {
		if p.offset < starts[p.partition] && p.offset >= t.asked[p.partition] {
			missing = append(missing, p)
		}
	}
	return missing
}

func (t *trimmed) run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- t.retained.run(ctx) }()
	return errors.Join(t.trim(ctx), <-ended)
}

func (t *trimmed) trim(ctx context.Context) error {
	client, err := t.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for !t.w.over() {
		t.w.pace(t.random, 200*time.Millisecond)
		ends, err := admin.ListEndOffsets(ctx, t.topic)
		if err = errors.Join(err, ends.Error()); err != nil {
			t.note(err)
			continue
		}
		p := t.random.Int32N(partitions)
		t.mu.Lock()
		start := t.deleted[p]
		t.mu.Unlock()
		end, _ := ends.Lookup(t.topic, p)
		if end.Offset <= start {
			continue
		}
		t.delete(ctx, admin, p, start+1+t.random.Int64N(end.Offset-start))
	}
	return nil
}

func (t *trimmed) delete(ctx context.Context, admin *kadm.Client, p int32, to int64) {
	t.mu.Lock()
	t.asked[p] = max(t.asked[p], to)
	t.mu.Unlock()
	var offsets kadm.Offsets
	offsets.AddOffset(t.topic, p, to, -1)
	done, err := admin.DeleteRecords(ctx, offsets)
	if err = errors.Join(err, done.Error()); err != nil {
		t.note(err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deleted[p] = max(t.deleted[p], to)
}

func (t *trimmed) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told[err.Error()]++
}

func (t *trimmed) check(ctx context.Context, f *findings) error {
	client, err := t.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	starts, err := t.look(ctx, client, f)
	if err != nil {
		return err
	}
	for p, to := range t.deleted {
		if starts[p] < to {
			f.add(wrong, "%s/%d was deleted up to %d, and begins at %d", t.topic, p, to, starts[p])
		}
	}
	return t.retained.check(ctx, f)
}

func (t *trimmed) did() (string, error) {
	text, err := t.retained.did()
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%s; clients were told %v", text, t.told), err
}
