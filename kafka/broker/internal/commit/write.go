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
	for {
		g, ok := j.next()
		if !ok {
			return
		}
		err := j.givenUp()
		began := time.Now()
		if err == nil && len(g.data) > 0 {
			if err = j.files.write(g); err != nil {
				err = j.fail(err, g)
			} else {
				j.syncs.Add(1)
			}
		}
		took := time.Since(began)
		waiting := j.waiting()
		j.acknowledge(g, err)
		if len(g.waits) > 1 {
			j.gather(waiting+len(g.waits), took/gatherPart)
		}
	}
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

// gatherPart is the part of the last write's time that a group waits for more.
const gatherPart = 8

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
	j.pending = group{data: j.spare[:0], logs: map[Key]mark{}}
	j.spare = nil
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
	if cap(g.data) <= 2*j.opts.GroupBytes {
		j.spare = g.data
	}
}

// fail stops the journal and the logs whose batches were not made durable.
func (j *Journal) fail(err error, g group) error {
	j.mu.Lock()
	if j.failed == nil {
		j.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	err = j.failed
	j.mu.Unlock()
	j.changed.Broadcast()
	for _, m := range g.logs {
		_ = m.log.Fail(err)
	}
	return err
}
