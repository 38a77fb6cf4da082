package task

import (
	"cmp"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Add queues records that were read, in order of their offsets; the slice belongs to the
// task from then on. Control records (kgo.KeepControlRecords) move the position over the
// marks of transactions, without which a partition that ends with one never looks drained.
// The error is that the task does not read that partition.
func (t *Task) Add(topic string, partition int32, recs []*kgo.Record) error {
	q, err := t.queue(topic, partition)
	if err != nil || len(recs) == 0 {
		return err
	}
	if q.records == 0 {
		t.arrived(q)
	}
	t.cfg.Memory.Add(q.add(recs))
	return nil
}

// arrived notes that q has another first record.
func (t *Task) arrived(q *queue) {
	t.arrivals++
	q.arrival = t.arrivals
}

// SetEnd tells the offset after the last record that the broker has to read.
func (t *Task) SetEnd(topic string, partition int32, end int64) error {
	q, err := t.queue(topic, partition)
	if err == nil {
		q.end = max(q.end, end)
		t.tick()
		if q.told = t.now; q.asked > 0 {
			q.told, q.asked = q.asked, 0
		}
	}
	return err
}

func (t *Task) queue(topic string, partition int32) (*queue, error) {
	q := t.inputs[input{topic, partition}]
	if q == nil {
		return nil, fmt.Errorf("task %d_%d does not read %s/%d", t.cfg.ID.Sub, t.cfg.ID.Partition, topic, partition)
	}
	return q, nil
}

// Buffered is the bytes queued of a partition, with what records take besides their own.
func (t *Task) Buffered(topic string, partition int32) int64 {
	if q := t.inputs[input{topic, partition}]; q != nil {
		return q.bytes
	}
	return 0
}

// Process processes up to n records, those with the smallest time first, each followed by
// the punctuators of stream time that are due. It returns how many; fewer than n where the
// queues are empty or one of them is waited for. After an error, which is a *plan.Failure
// unless the task is closed, the task can only be closed.
func (t *Task) Process(n int) (int, error) {
	if t.failed != nil {
		return 0, t.failed
	}
	t.tick()
	done := 0
	for more := true; more && done < n; {
		var err error
		if more, err = t.run(n, &done); err != nil {
			t.failed = err
			return done, err
		}
	}
	if done > 0 {
		t.idle.record(t.now, t.streamTime)
		t.counts.processed += int64(done)
	}
	return done, nil
}

// Next is the time of the record that Process would begin with; false where there is none
// now.
func (t *Task) Next() (timestamp int64, ok bool, err error) {
	if t.failed != nil {
		return 0, false, t.failed
	}
	t.tick()
	for {
		q, again, err := t.peek()
		switch {
		case err != nil:
			t.failed = err
			return 0, false, err
		case q != nil:
			return q.time, true, nil
		case !again:
			return 0, false, nil
		}
	}
}

// Head is the time of a partition's first record; false where there is none.
func (t *Task) Head(topic string, partition int32) (timestamp int64, ok bool, err error) {
	q, err := t.queue(topic, partition)
	if err != nil || t.failed != nil {
		return 0, false, cmp.Or(err, t.failed)
	}
	for !q.loaded && q.records > 0 {
		if err := t.loadFirst(q); err != nil {
			t.failed = err
			return 0, false, err
		}
	}
	return q.time, q.loaded, nil
}

// loadFirst is load, where a panic in a decoder is a failure of the record.
func (t *Task) loadFirst(q *queue) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = t.panicked(r)
		}
	}()
	return t.load(q)
}

// Prefer has a partition's first record come before others of the same time.
func (t *Task) Prefer(topic string, partition int32) {
	if q := t.inputs[input{topic, partition}]; q != nil {
		q.arrival = 0
	}
}

// peek is pick, where a panic in a decoder is a failure of the record.
func (t *Task) peek() (q *queue, again bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			q, again, err = nil, true, t.panicked(r)
		}
	}()
	q, err = t.pick()
	return q, false, err
}

// run processes until n are done or none is ready. A panic that no node recovered is a
// failure of the record; more says that there may be others.
func (t *Task) run(n int, done *int) (more bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			if t.record != nil {
				*done++
			}
			more, err = true, t.panicked(r)
		}
	}()
	for *done < n {
		q, err := t.pick()
		if q == nil || err != nil {
			return false, err
		}
		if err := t.step(q); err != nil {
			return false, err
		}
		*done++
		if t.streamTime >= t.stream.due {
			if err := t.punctuate(&t.stream, t.streamTime); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// pick is the queue whose first record is the next one; nil where none is ready.
func (t *Task) pick() (*queue, error) {
	var best *queue
	empty := false
	for _, q := range t.queues {
		if !q.loaded {
			if q.records > 0 {
				if err := t.load(q); err != nil {
					return nil, err
				}
			}
			if !q.loaded {
				empty = true
				continue
			}
		}
		if best == nil || q.time < best.time || q.time == best.time && q.arrival < best.arrival {
			best = q
		}
	}
	if best != nil && (empty || t.idle.waiting) && !t.mayProceed() {
		return nil, nil
	}
	return best, nil
}

// load decodes the first record that is fit to be processed, and leaves the others out.
func (t *Task) load(q *queue) error {
	for q.records > 0 {
		rec := q.front()
		if rec.Attrs.IsControl() {
			t.leave(q)
			continue
		}
		t.current = q
		timestamp, err := q.head.Load(rec, q.partitionTime)
		t.current = nil
		if err == nil && timestamp >= 0 {
			q.loaded, q.time, q.deadline = true, timestamp, 0
			return nil
		}
		if err == nil {
			t.drop(q.node, "negative timestamp")
		} else if err := t.decide(&plan.Failure{Stage: "decode", Node: q.node, Task: t.cfg.ID, Record: rec, Err: err}); err != nil {
			return err
		}
		t.leave(q)
	}
	return nil
}

// leave ends with the first record of q.
func (t *Task) leave(q *queue) {
	t.cfg.Memory.Add(-q.pop())
	t.touched = true
	if q.records > 0 {
		t.arrived(q)
	}
}

// step processes the first record of q.
func (t *Task) step(q *queue) error {
	t.record, t.current = q.front(), q
	t.streamTime = max(t.streamTime, q.time)
	q.partitionTime = max(q.partitionTime, q.time)
	if err := q.head.Process(); err != nil {
		return t.located(q.node, err)
	}
	t.record, t.current = nil, nil
	t.leave(q)
	return nil
}
