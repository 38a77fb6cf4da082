package lens

import (
	"slices"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kgo"
)

// near is the part of MaxBehind that is read after a skip, and from which on the
// index counts as late.
const near = 10

// catchUp skips to near the ends where the reader is too far behind.
func (t *tail) catchUp() {
	behind := t.measure()
	switch {
	case behind <= t.config.MaxBehind/near:
		t.late = time.Time{}
		return
	case t.late.IsZero():
		t.late = time.Now()
	}
	if behind <= t.config.MaxBehind && time.Since(t.late) <= t.config.MaxDelay {
		return
	}
	t.late = time.Time{}
	t.skip(t.config.MaxBehind / near / int64(len(t.parts)))
}

// skip leaves at most that many records to be read in each partition.
func (t *tail) skip(keep int64) {
	begin, end := map[string]map[int32]kgo.Offset{}, map[string][]int32{}
	skipped := int64(0)
	for key, r := range t.parts {
		to := r.end - keep
		if to <= r.next {
			continue
		}
		t.leaveGap(key, r.next, to)
		skipped += to - r.next
		r.next, r.tailing, t.changed[key] = to, false, true
		end[key.topic] = append(end[key.topic], key.number)
		if begin[key.topic] == nil {
			begin[key.topic] = map[int32]kgo.Offset{}
		}
		begin[key.topic][key.number] = kgo.NewOffset().At(to)
	}
	t.client.RemoveConsumePartitions(end)
	t.client.AddConsumePartitions(begin)
	t.config.Logger.Warn("the lens is too far behind and leaves a gap in its index", "records", skipped)
}

// mostGaps are kept; the oldest go.
const mostGaps = 500

// leaveGap notes that the index has no offset from..to-1.
func (t *tail) leaveGap(key partitionKey, from, to int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := gap{Gap: api.Gap{Topic: key.topic, Partition: key.number, From: from, To: to, At: t.config.Clock().UTC()}}
	if r := t.parts[key]; r != nil {
		g.Since = timeOf(r.at)
	}
	t.gaps = append(t.gaps, g)
}

// trimGaps drops gaps that are older than the window.
func (t *tail) trimGaps() []gap {
	since := t.index.since()
	t.gaps = slices.DeleteFunc(t.gaps, func(g gap) bool { return g.At.Before(since) })
	t.gaps = t.gaps[max(0, len(t.gaps)-mostGaps):]
	return slices.Clone(t.gaps)
}

// measure counts how far behind the reader is.
func (t *tail) measure() (behind int64) {
	for _, r := range t.parts {
		behind += r.behind()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.behind = behind
	return behind
}

// progress is what State shows.
func (t *tail) progress() (behind int64, perSecond float64, gaps []gap, problem string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.behind, t.rate.at(time.Now()), slices.Clone(t.gaps), t.problem
}

// rate counts events of the last seconds.
type rate struct {
	began time.Time
	count int
	last  float64
}

// rateSpan is over which a rate is taken.
const rateSpan = 2 * time.Second

func (r *rate) add(n int, now time.Time) {
	if r.began.IsZero() {
		r.began = now
	}
	r.count += n
	if span := now.Sub(r.began); span >= rateSpan {
		r.last = float64(r.count) / span.Seconds()
		r.began, r.count = now, 0
	}
}

// at is 0 where nothing was added for long: the reader does not run.
func (r *rate) at(now time.Time) float64 {
	if now.Sub(r.began) > 5*rateSpan {
		return 0
	}
	return r.last
}
