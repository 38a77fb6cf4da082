// Package coordtest has a log in memory whose durability tests decide.
package coordtest

import "github.com/pabal-dev/pabal/kafka/broker/internal/keylog"

// Log is a coord.Log for one goroutine. What is in Sets survives a crash.
type Log struct {
	// Held keeps sets from becoming durable until Release; else tests call
	// Settle after each step.
	Held bool
	// Sets are the durable sets, in order.
	Sets [][]keylog.Record
	// Queued are the sets whose fate is open.
	Queued []Queued
	// Crowded has requests refused.
	Crowded bool
	broken  error
}

// Full says whether it is crowded.
func (l *Log) Full() bool { return l.Crowded }

// Queued is a set that was appended and is not yet durable.
type Queued struct {
	Records []keylog.Record
	done    func(error)
}

// Append queues a set.
func (l *Log) Append(records []keylog.Record, done func(error)) {
	l.Queued = append(l.Queued, Queued{records, done})
}

// Release makes up to n queued sets durable and says so, and returns how many.
func (l *Log) Release(n int) int {
	released := 0
	for ; released < n && len(l.Queued) > 0; released++ {
		set := l.Queued[0]
		l.Queued = l.Queued[1:]
		if l.broken != nil {
			set.done(l.broken)
			continue
		}
		l.Sets = append(l.Sets, set.Records)
		set.done(nil)
	}
	return released
}

// Settle makes everything durable, also what is appended meanwhile, unless Held.
func (l *Log) Settle() {
	for !l.Held && len(l.Queued) > 0 {
		l.Release(1)
	}
}

// Fail answers everything queued, and what comes later, with err.
func (l *Log) Fail(err error) {
	l.broken = err
	l.Release(len(l.Queued))
}

// Records are the durable records, in order.
func (l *Log) Records() []keylog.Record {
	var all []keylog.Record
	for _, set := range l.Sets {
		all = append(all, set...)
	}
	return all
}
