package inbox

import (
	"log/slog"
	"time"
)

// retriesPerTurn is how many due messages a lane tries before it turns to
// fresh ones again.
const retriesPerTurn = 16

// laterPause is the pause between attempts that do not count, see Later.
const laterPause = 2 * time.Second

// retryDue tries waiting messages that are due; false where there was none.
func (l *lane) retryDue() bool {
	for n := range retriesPerTurn {
		row, ok := l.schedule.next()
		if !ok || until(row, time.Now()) > 0 || !l.proceeds() {
			return n > 0
		}
		l.retry(row)
	}
	return true
}

// retry makes one more attempt of a waiting message.
func (l *lane) retry(row Waiting) {
	whole, there, err := l.t.store.LoadWaiting(l.t.ctx, l.t.claim, row.Offset)
	if err != nil {
		if l.t.ctx.Err() == nil {
			l.settle(result{verdict: transient, err: err})
		}
		return
	}
	if !there {
		l.left(row)
		return
	}
	if len(whole.Headers) == 0 { // the place of a dead letter, released
		if l.settle(l.t.drop(l.t.ctx, l.n, row.Offset)) {
			l.left(row)
		}
		return
	}
	l.attempt(row, itemOf(whole), row.Attempts+1)
}

func (l *lane) attempt(row Waiting, i item, attempt int) {
	out := l.t.retry(l.t.ctx, l.n, i, attempt)
	if out.verdict == refused {
		l.succeeded()
		l.failed(i, keepNext, attempt, out.err, true)
		return
	}
	if l.settle(out) {
		l.count(out)
		l.left(row)
	}
}

// failed stores the outcome of an attempt that failed alone: the message waits
// for the next one, or becomes a dead letter. next is the lane's offset
// afterwards. It returns false where the lane has to end before that is
// stored; the attempt is repeated then.
func (l *lane) failed(i item, next int64, attempt int, err error, waited bool) bool {
	reason := Reason(err)
	later := isLater(err)
	if !later && (attempt >= l.t.cfg.Attempts || isPermanent(err)) {
		return l.bury(i, next, death{reason: reason, attempts: attempt, at: time.Now()}, waited)
	}
	pause := l.t.cfg.Backoff.after(attempt)
	if later {
		attempt--
		pause = min(laterPause, l.t.cfg.Backoff.Max)
	}
	row := i.waiting(attempt, time.Now().Add(pause), reason)
	if _, ok := l.insist(func() result { return l.t.postpone(l.t.ctx, l.n, next, row) }); !ok {
		return false
	}
	l.wait(row)
	l.t.counts.retried.Add(1)
	l.t.retries.Log(l.t.log, slog.LevelWarn, "message failed and waits for a retry", "topic", l.t.p.topic, "partition", l.t.p.number,
		"offset", i.offset, "id", i.event.ID, "type", i.event.Type, "attempt", attempt, "retry_at", row.Next, "error", reason)
	return true
}

func (l *lane) bury(i item, next int64, d death, waited bool) bool {
	var park *Waiting
	if l.t.cfg.AfterDeadLetter == Park && i.event.Key != "" {
		park = &Waiting{
			Offset: i.offset, Key: i.event.Key, Attempts: d.attempts, Parked: true, Reason: d.reason,
			Timestamp: i.timestamp, Size: rowOverhead + int64(len(i.event.Key)),
		}
	}
	out, ok := l.insist(func() result { return l.t.bury(l.t.ctx, l.n, next, i, d, park, waited) })
	if !ok {
		return false
	}
	l.count(out)
	if park != nil {
		l.wait(*park)
	} else if waited {
		l.left(Waiting{Offset: i.offset, Key: i.event.Key})
	}
	l.t.deaths.Log(l.t.log, slog.LevelError, "message became a dead letter", "topic", l.t.p.topic, "partition", l.t.p.number, "offset", i.offset,
		"id", i.event.ID, "type", i.event.Type, "key", i.event.Key, "attempts", d.attempts, "parked", park != nil, "error", d.reason)
	return true
}

// mourn tells of the malformed records of a batch.
func (l *lane) mourn(p plan) {
	for _, i := range p.items {
		if i.fault != nil {
			l.t.deaths.Log(l.t.log, slog.LevelError, "malformed record became a dead letter", "topic", l.t.p.topic,
				"partition", l.t.p.number, "offset", i.offset, "error", i.fault)
		}
	}
}
