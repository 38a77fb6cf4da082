package node

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Partition is one partition with its log.
type Partition struct {
	Topic *Topic
	Index int32

	log      *log.Log
	turn     sync.Mutex // held by the one that appends
	gone     atomic.Bool
	watchers watchers
}

// ErrGone says that the topic was deleted.
var ErrGone = fmt.Errorf("topic was deleted: %w", kerr.UnknownTopicOrPartition)

// String is topic-0.
func (p *Partition) String() string { return p.Topic.Name + "-" + strconv.Itoa(int(p.Index)) }

func (p *Partition) folder() string { return p.Topic.folder() + "/" + strconv.Itoa(int(p.Index)) }

func (p *Partition) open() (err error) {
	n := p.Topic.node
	p.log, err = log.Open(n.o.FS, p.folder(), p.Topic.settings.Load().log, n.o.Now)
	return err
}

// Log is for reading and for telling of it; appends go through Append. Reads of a topic
// that is being deleted fail, with log.ErrClosed or otherwise: ask Gone then.
func (p *Partition) Log() *log.Log { return p.log }

// Epoch is the leader epoch: 0, and one more after each start that was no clean one.
func (p *Partition) Epoch() int32 { return p.Topic.node.epoch }

// Gone says that the topic was deleted.
func (p *Partition) Gone() bool { return p.gone.Load() }

// Append appends a batch that package batch has split off and verified, and calls done
// as commit.Journal.Append does; done must not block. may, unless nil, is asked in the
// partition's turn, before the append and after all earlier ones: its error is done's.
// Afterwards those who watch are told. b may be used again when Append has returned.
func (p *Partition) Append(b []byte, h batch.Header, may func() error, done func(log.Appended, error)) {
	p.append(done, func(done func(log.Appended, error)) {
		err := p.checkTimes(b, h)
		if err == nil && may != nil {
			err = may()
		}
		if err != nil {
			done(log.Appended{}, err)
			return
		}
		p.Topic.node.journal.Append(p.key(), p.log, b, h, p.Epoch(), done)
	})
}

// AppendMarker ends a transaction here; else it is Append.
func (p *Partition) AppendMarker(m batch.Marker, done func(log.Appended, error)) {
	p.append(done, func(done func(log.Appended, error)) {
		p.Topic.node.journal.AppendMarker(p.key(), p.log, m, p.Epoch(), done)
	})
}

func (p *Partition) key() commit.Key { return commit.Key{Topic: p.Topic.ID, Partition: p.Index} }

func (p *Partition) append(done func(log.Appended, error), write func(func(log.Appended, error))) {
	a := &appending{partition: p, done: done}
	p.turn.Lock()
	err := p.Topic.node.stopped()
	if p.Gone() {
		err = ErrGone
	}
	if err == nil {
		write(a.finish)
	} else {
		a.finish(log.Appended{}, err)
	}
	p.turn.Unlock()
	a.turnOver()
}

// appending calls done after the partition's turn, for done may append again.
type appending struct {
	partition *Partition
	done      func(log.Appended, error)
	state     atomic.Int32
	at        log.Appended
	err       error
}

const (
	inTurn int32 = iota
	afterTurn
	finished
)

func (a *appending) finish(at log.Appended, err error) {
	switch {
	case err == nil:
		a.partition.watchers.tell()
	case errors.Is(err, commit.ErrFailed):
		err = fmt.Errorf("%w: %w", ErrFailed, err)
		a.partition.Topic.node.tell(err)
	case errors.Is(err, commit.ErrClosed):
		err = ErrClosed
	case errors.Is(err, log.ErrClosed):
		if err = ErrClosed; a.partition.Gone() {
			err = ErrGone
		}
	}
	a.at, a.err = at, err
	if !a.state.CompareAndSwap(inTurn, finished) {
		a.done(at, err)
	}
}

func (a *appending) turnOver() {
	if !a.state.CompareAndSwap(inTurn, afterTurn) {
		a.done(a.at, a.err)
	}
}

// checkTimes refuses timestamps that the topic's settings do not allow.
func (p *Partition) checkTimes(b []byte, h batch.Header) error {
	s := p.Topic.settings.Load()
	if s.log.LogAppendTime || h.Control() || p.Topic.Internal {
		return nil
	}
	now := p.Topic.node.o.Now().UnixMilli()
	if h.MaxTimestamp-now > s.after {
		return fmt.Errorf("%w: %d is more than %d ms ahead of the broker's clock, %d (message.timestamp.after.max.ms)", kerr.InvalidTimestamp, h.MaxTimestamp, s.after, now)
	}
	if now-s.before <= 0 { // the default, which allows all
		return nil
	}
	oldest, err := oldest(b[:h.Size])
	if err == nil && now-oldest > s.before {
		err = fmt.Errorf("%w: %d is more than %d ms behind the broker's clock, %d (message.timestamp.before.max.ms)", kerr.InvalidTimestamp, oldest, s.before, now)
	}
	return err
}

// oldest is the smallest timestamp of a batch's records.
func oldest(b []byte) (int64, error) {
	smallest := int64(1<<63 - 1)
	err := batch.Times(b, 128<<20, func(_, timestamp int64) bool {
		smallest = min(smallest, timestamp)
		return true
	})
	return smallest, err
}

// DeleteRecords raises the log start, and tells those who watch.
func (p *Partition) DeleteRecords(offset int64) (int64, error) {
	if err := p.Topic.node.stopped(); err != nil {
		return 0, err
	}
	if p.Gone() {
		return 0, ErrGone
	}
	start, err := p.log.DeleteRecords(offset)
	if err == nil {
		p.watchers.tell()
	}
	return start, err
}
