package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// retained is a topic in small segments from which old records go, by a rule that says what
// must be there.
type retained struct {
	*sequences
	keep    keep
	bytes   int // that each partition must keep in any case
	mu      sync.Mutex
	removed int64 // records below the log starts
	early   findings
}

// keep says what should be there nevertheless, of places that were acknowledged. The log
// holds those from starts on.
type keep func(all []place, starts map[int32]int64, asOf time.Time) []place

const segmentBytes = 16 << 10

func newRetained(w *world, topic string, rule keep, settings map[string]string) *retained {
	s := newSequences(w, topic)
	s.size, s.random = 1200, s.random[:1]
	s.pace = 5 * time.Millisecond
	s.config = map[string]string{"segment.bytes": strconv.Itoa(segmentBytes)}
	for name, value := range settings {
		s.config[name] = value
	}
	return &retained{sequences: s, keep: rule}
}

const (
	keptBytes = 100 << 10
	keptTime  = 3 * time.Second
)

// newRetainedBySize keeps the newest bytes of each partition.
func newRetainedBySize(w *world) *retained {
	all := func([]place, map[int32]int64, time.Time) []place { return nil }
	r := newRetained(w, "by-size", all, map[string]string{"retention.ms": "-1", "retention.bytes": strconv.Itoa(keptBytes)})
	r.bytes = keptBytes
	return r
}

// newRetainedByTime keeps records for a time. Some claim to be old: they must not take
// newer ones with them.
func newRetainedByTime(w *world) *retained {
	r := newRetained(w, "by-time", keepTime, map[string]string{"retention.ms": strconv.Itoa(int(keptTime / time.Millisecond))})
	r.timestamp = func(random *rand.Rand) time.Time {
		if random.IntN(10) == 0 {
			return time.Now().Add(-time.Hour)
		}
		return time.Now()
	}
	return r
}

func keepTime(all []place, starts map[int32]int64, asOf time.Time) (missing []place) {
	for _, p := range all {
		if p.offset < starts[p.partition] && p.at.After(asOf.Add(-keptTime)) {
			missing = append(missing, p)
		}
	}
	return missing
}

// run also looks at the log starts meanwhile: in the end everything is old.
func (r *retained) run(ctx context.Context) error {
	client, err := r.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	ended := make(chan error, 1)
	go func() { ended <- r.sequences.run(ctx) }()
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-tick.C:
			if _, err := r.look(ctx, client, &r.early); err != nil && !passing(err) {
				return errors.Join(err, <-ended)
			}
		case err := <-ended:
			tick.Stop()
			return err
		}
	}
}

// look finds what went too early, and returns the log starts.
func (r *retained) look(ctx context.Context, client *kgo.Client, f *findings) (map[int32]int64, error) {
	listed, err := kadm.NewClient(client).ListStartOffsets(ctx, r.topic)
	if err = errors.Join(err, listed.Error()); err != nil {
		return nil, err
	}
	starts := map[int32]int64{}
	var removed int64
	listed.Each(func(o kadm.ListedOffset) { starts[o.Partition] = o.Offset; removed += o.Offset })
	now := time.Now()
	for _, p := range r.keep(r.book.places(), starts, now) {
		f.add(lost, "%s: retention took %s of %v, which it must not", r.topic, p, p.at)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removed = max(r.removed, removed)
	return starts, nil
}

func (r *retained) check(ctx context.Context, f *findings) error {
	c, err := r.w.read(ctx, r.topic, false)
	if err != nil {
		return err
	}
	client, err := r.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	starts, err := r.look(ctx, client, f)
	if err != nil {
		return err
	}
	for p, records := range c {
		held := 0
		for _, one := range records {
			held += len(one.value) + 100 // about what batches and records have beside
		}
		if starts[p] > 0 && held < r.bytes {
			f.add(lost, "%s: retention left %d bytes of partition %d", r.topic, held, p)
		}
	}
	r.book.check(f, c, func(p place) bool { return p.offset < starts[p.partition] })
	r.early.into(f)
	return nil
}

func (r *retained) did() (string, error) {
	text, err := r.sequences.did()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.removed == 0 {
		err = errors.New("retention took nothing")
	}
	return fmt.Sprintf("%s; retention took %d", text, r.removed), err
}
