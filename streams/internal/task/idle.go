package task

import "time"

// idleness says when a task that could process waits, and when stream time goes on
// without records.
type idleness struct {
	waiting bool
	// since the last record: the wall clock and the stream time at it.
	since, base int64
	listeners   []func(streamTime int64) error
}

func (i *idleness) record(now, streamTime int64) { i.since, i.base = now, streamTime }

// mayProceed is Kafka Streams' rule for tasks some of whose partitions have nothing queued:
// it waits for what the broker is known to have, or may have, and MaxIdle longer.
func (t *Task) mayProceed() bool {
	t.idle.waiting = false
	if t.cfg.MaxIdle < 0 {
		return true
	}
	for _, q := range t.queues {
		switch {
		case q.records > 0:
			q.deadline = 0
		case !q.drained():
			q.deadline = 0
			t.idle.waiting = true
		default:
			if q.deadline == 0 {
				q.deadline = t.now + t.cfg.MaxIdle.Milliseconds()
			}
			t.idle.waiting = t.idle.waiting || t.now < q.deadline
		}
	}
	return !t.idle.waiting
}

// Awaited are the partitions of which nothing is queued and of which it is not known that
// the broker has none, so that the task waits, or that it has none yet, so that stream time goes on.
// Their ends (read-committed) are to be asked for and given to SetEnd. none is called for each.
func (t *Task) Awaited(none func(topic string, partition int32)) {
	if !t.idle.waiting && t.cfg.IdleWindowClose <= 0 {
		return
	}
	for _, q := range t.queues {
		if q.records == 0 && (!q.drained() || t.outdated(q)) {
			none(q.topic, q.partition)
			if q.asked == 0 {
				q.asked = t.now
			}
		}
	}
}

// idles says that stream time follows the wall clock.
func (t *Task) idles() bool {
	return t.cfg.IdleWindowClose > 0 && t.idle.base >= 0 && t.now-t.idle.since >= t.cfg.IdleWindowClose.Milliseconds()
}

// outdated: that the broker has no more was known for a moment that has passed.
func (t *Task) outdated(q *queue) bool {
	step := idleStep.Milliseconds()
	return t.idles() && t.now-q.told >= step && (q.asked == 0 || t.now-q.asked >= 10*step)
}

// moveIdle lets stream time follow the wall clock where nothing has come for long enough: up to
// when the brokers were known to have nothing. What they have and cannot be read is not late.
func (t *Task) moveIdle() error {
	if !t.idles() {
		return nil
	}
	asOf := t.now
	for _, q := range t.queues {
		if !q.drained() {
			return nil
		}
		asOf = min(asOf, q.told)
	}
	to := t.idle.base + asOf - t.idle.since
	if to <= t.streamTime {
		return nil
	}
	t.streamTime = to
	t.remember(streamTimeKey, to)
	if err := t.punctuate(&t.stream, t.streamTime); err != nil {
		return err
	}
	for _, f := range t.idle.listeners {
		if err := f(t.streamTime); err != nil {
			return err
		}
	}
	return nil
}

// idleDue is when moveIdle or an end of waiting is next, 0 never.
func (t *Task) idleDue() int64 {
	due := int64(0)
	sooner := func(at int64) {
		if due == 0 || at < due {
			due = at
		}
	}
	if t.cfg.IdleWindowClose > 0 && t.idle.base >= 0 {
		sooner(max(t.idle.since+t.cfg.IdleWindowClose.Milliseconds(), t.now+idleStep.Milliseconds()))
	}
	if t.idle.waiting {
		for _, q := range t.queues {
			if q.deadline > t.now {
				sooner(q.deadline)
			}
		}
	}
	return due
}

// idleStep is how often stream time moves while there are no records.
const idleStep = 100 * time.Millisecond
