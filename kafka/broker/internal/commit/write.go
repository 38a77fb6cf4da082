package commit

import (
	"fmt"
	"math"
	"runtime"
	"time"
)

// run writes groups until the journal is closed.
func (j *Journal) run() {
	defer close(j.done)
	f := newFlights()
	defer f.close()
	for {
		j.turn(f)
		g, ok := j.next()
		if !ok {
			return
		}
		j.launch(f, g)
	}
}

// launch writes a group, and syncs it beside those under way.
func (j *Journal) launch(f *flights, g group) {
	if j.files.full(g) {
		f.landAll()
	}
	slot, began := f.take(len(g.data)), time.Now()
	err := j.givenUp()
	written := err == nil && len(g.data) > 0
	sync := func() error { return nil }
	if written {
		if sync, err = j.files.write(g, slot); err != nil {
			err = j.stop(err)
		}
	}
	before, done := f.last, make(chan struct{})
	f.last = done
	f.pilots[slot] <- func() {
		defer close(done)
		if err == nil {
			err = sync()
		}
		<-before
		l := landing{slot: slot, bytes: len(g.data), waits: len(g.waits), took: time.Since(began), waiting: j.waiting()}
		j.finish(g, written, err)
		f.landed <- l
	}
}

// finish acknowledges a group when all before it are.
func (j *Journal) finish(g group, written bool, err error) {
	if err == nil {
		err = j.Failed() // of a group before, which a retry waits for
	}
	if written {
		if err != nil {
			err = j.fail(err, g)
		} else {
			j.syncs.Add(1)
		}
	}
	j.acknowledge(g, err)
}

// givenUp is why a group is not written.
func (j *Journal) givenUp() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.killed {
		return ErrClosed
	}
	return j.failed
}

// A group waits for more for an eighth of the last write's time, and not long: it is busy
// meanwhile, and after a long write others do not wait for it (see flights).
const (
	gatherPart = 8
	mostGather = 50 * time.Microsecond
)

// gather lets those who were just acknowledged append again and join those who wait, so
// that all are in one group and not in two that alternate.
func (j *Journal) gather(want int, limit time.Duration) {
	for began := time.Now(); time.Since(began) < limit && j.waiting() < want; {
		runtime.Gosched()
	}
}

// waiting is how many are in the next group.
func (j *Journal) waiting() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closing {
		return math.MaxInt32
	}
	return len(j.pending.waits)
}

// next takes what has arrived, or waits for it. It is false when the journal is closed
// and nothing is left.
func (j *Journal) next() (group, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.pending.waits) == 0 && len(j.pending.data) == 0 && !j.closing {
		j.changed.Wait()
	}
	g := j.pending
	j.pending = group{logs: map[Key]mark{}}
	if n := len(j.spare); n > 0 {
		j.pending.data, j.spare = j.spare[n-1][:0], j.spare[:n-1]
	}
	j.changed.Broadcast()
	return g, len(g.waits) > 0 || len(g.data) > 0
}

func (j *Journal) acknowledge(g group, err error) {
	if err == nil {
		for _, m := range g.logs {
			m.log.SetHighWatermark(m.next)
		}
	}
	for _, w := range g.waits {
		w.synced(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if cap(g.data) <= 2*j.opts.GroupBytes && (len(j.spare) == 0 || len(j.spare) < mostFlights && cap(g.data) <= smallFlights) {
		j.spare = append(j.spare, g.data)
	}
}

// stop stops the journal for good, and returns why.
func (j *Journal) stop(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	j.changed.Broadcast()
	return j.failed
}

// fail stops the journal and the logs whose batches were not made durable.
func (j *Journal) fail(err error, g group) error {
	err = j.stop(err)
	for _, m := range g.logs {
		_ = m.log.Fail(err)
	}
	return err
}
