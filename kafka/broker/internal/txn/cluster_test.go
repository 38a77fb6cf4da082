package txn_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/coord/coordtest"
	"github.com/pabal-dev/pabal/kafka/broker/internal/group"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/txn"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// cluster is both coordinators and some partitions. Nothing becomes durable and
// no marker arrives unless the test says so.
type cluster struct {
	t                testing.TB
	now              time.Time
	txnLog, groupLog *coordtest.Log
	txns             *txn.Coordinator
	groups           *group.Coordinator
	partitions       []*partition
	markers          []sent
	life             int // counts starts: answers to an earlier one are lost
}

func newCluster(t testing.TB, partitions int) *cluster {
	c := &cluster{t: t, now: time.UnixMilli(1_700_000_000_000), txnLog: &coordtest.Log{}, groupLog: &coordtest.Log{}}
	for range partitions {
		c.partitions = append(c.partitions, &partition{epochs: map[int64]int16{}, open: map[int64]map[int]int16{}, visible: map[int]int{}})
	}
	c.crash()
	return c
}

// crash loses what is not durable, on its way or waited for, and starts again.
func (c *cluster) crash() {
	c.t.Helper()
	c.life++
	c.txnLog = &coordtest.Log{Held: true, Sets: c.txnLog.Sets}
	c.groupLog = &coordtest.Log{Held: true, Sets: c.groupLog.Sets}
	c.markers = nil
	clock := func() time.Time { return c.now }
	c.txns = txn.New(txn.Config{Log: c.txnLog, Markers: c, Now: clock})
	c.groups = group.New(group.Config{Log: c.groupLog, Now: clock, VerifyTxn: c.txns.VerifyGroup})
	c.replay(c.groupLog, c.groups.Replay)
	c.replay(c.txnLog, c.txns.Replay)
	c.groups.Start()
	c.txns.Start()
}

func (c *cluster) replay(log *coordtest.Log, replay func(keylog.Record) error) {
	c.t.Helper()
	records := log.Records()
	if c.life%2 == 0 {
		records = keylog.Compact(records, c.life%4 == 0)
	}
	for _, r := range records {
		if err := replay(r); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *cluster) WriteMarker(target txn.Target, m txn.Marker, done func(error)) {
	c.markers = append(c.markers, sent{target, m, done})
}

// deliver hands on the i-th marker on its way. It may fail after it was
// written, and it may come again.
func (c *cluster) deliver(i int, fail, repeat bool) {
	m := c.markers[i]
	if !repeat {
		c.markers = append(c.markers[:i:i], c.markers[i+1:]...)
	}
	answer := func(err error) {
		if err == nil && fail {
			err = errors.New("answer lost")
		}
		if !repeat {
			m.done(err)
		}
	}
	if m.target.Offsets {
		c.groups.EndTxn(group.Marker(m.marker), answer)
		return
	}
	c.partitions[m.target.Partition.Index].end(m.marker)
	answer(nil)
}

// settle makes everything durable and delivers everything.
func (c *cluster) settle() {
	for c.txnLog.Release(100)+c.groupLog.Release(100) > 0 || len(c.markers) > 0 {
		for len(c.markers) > 0 {
			c.deliver(0, false, false)
		}
	}
}

func (c *cluster) pass(d time.Duration) {
	c.now = c.now.Add(d)
	c.txns.Tick(c.now)
	c.groups.Tick(c.now)
}

// partition is the log of one, as readers of what is committed see it. It is
// always durable.
type partition struct {
	epochs  map[int64]int16         // the highest seen, by producer id
	open    map[int64]map[int]int16 // tags and their epochs, by producer id
	visible map[int]int             // how often, by tag
}

// write appends a tag. A producer that sends it again is known by its
// sequence numbers, which are not played here.
func (p *partition) write(by id, tag int) *kerr.Error {
	if last, ok := p.epochs[by.producer]; ok && by.epoch < last {
		return kerr.InvalidProducerEpoch
	}
	p.epochs[by.producer] = by.epoch
	if p.open[by.producer] == nil {
		p.open[by.producer] = map[int]int16{}
	}
	p.open[by.producer][tag] = by.epoch
	return nil
}

func (p *partition) end(m txn.Marker) {
	if m.Epoch < p.epochs[m.ProducerID] {
		return
	}
	p.epochs[m.ProducerID] = m.Epoch
	for tag, epoch := range p.open[m.ProducerID] {
		if epoch > m.Epoch || m.Bumped && epoch == m.Epoch {
			continue
		}
		delete(p.open[m.ProducerID], tag)
		if m.Commit {
			p.visible[tag]++
		}
	}
}

// attempt is one transaction that a producer tried.
type attempt struct {
	tag        int
	partitions []int
	offsets    bool
	commit     bool // what it asked for in the end, if it did
	asked      bool
	acked      bool
}

// producer is a client: it does one thing after the other, repeats what it got
// no answer to, and starts anew when it is fenced.
type producer struct {
	*cluster
	name    string
	version int16 // of EndTxn
	random  *rand.Rand
	tags    *int

	id       id
	had      id // what it says in InitProducerID
	started  bool
	current  *attempt
	todo     []func()
	busy     int // the life in which it waits for an answer, 0 for none
	attempts []*attempt
	endings  bool // it asks for nothing new
}

func (p *producer) chance(n int) bool { return p.random != nil && p.random.IntN(n) == 0 }

// step does the next thing, if it does not wait.
func (p *producer) step() {
	switch {
	case p.busy == p.life:
	case !p.started:
		if p.random == nil || p.chance(8) { // not at once: whoever fenced it wants to get on
			p.init()
		}
	case p.current == nil:
		if !p.endings {
			p.begin()
		}
	case len(p.todo) > 0:
		if p.busy != 0 && p.chance(3) { // no answer: it gives up
			p.todo = nil
			p.current.commit = false
			return
		}
		p.todo[0]()
	default:
		p.end()
	}
}

// wait returns a callback that is void after a crash.
func wait[T any](p *producer, then func(T)) func(T) {
	p.busy = p.life
	life := p.life
	return func(answer T) {
		if life == p.life {
			p.busy = 0
			then(answer)
		}
	}
}

func (p *producer) init() {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.Version, req.TransactionalID, req.TransactionTimeoutMillis = 5, &p.name, 60_000
	req.ProducerID, req.ProducerEpoch = p.had.producer, p.had.epoch
	p.txns.InitProducerID(req, wait(p, func(resp *kmsg.InitProducerIDResponse) {
		switch errorOf(resp.ErrorCode) {
		case nil:
			p.id, p.started = id{resp.ProducerID, resp.ProducerEpoch}, true
		case kerr.ConcurrentTransactions:
		default:
			p.had = none
		}
	}))
}

// restart gives up a transaction.
func (p *producer) restart() {
	p.started, p.current, p.todo, p.had = false, nil, nil, none
	if p.chance(2) {
		p.had = p.id
	}
}

func (p *producer) begin() {
	*p.tags++
	a := &attempt{tag: *p.tags, partitions: []int{0, 1}, offsets: true, commit: true}
	if p.random != nil {
		a.partitions = p.random.Perm(len(p.partitions))[:1+p.random.IntN(3)]
		a.offsets, a.commit = !p.chance(3), !p.chance(4)
	}
	p.current = a
	p.attempts = append(p.attempts, a)
	for _, index := range a.partitions {
		at := txn.Partition{Topic: "t", Index: int32(index)}
		p.todo = append(p.todo, func() {
			p.txns.AddPartitions(p.name, p.id.producer, p.id.epoch, []txn.Partition{at}, wait(p, p.goOn))
		}, func() {
			err := p.txns.Verify(p.name, p.id.producer, p.id.epoch, at)
			if err == nil {
				err = p.cluster.partitions[index].write(p.id, a.tag)
			}
			p.goOn(err)
		})
	}
	if a.offsets {
		p.todo = append(p.todo, func() {
			p.txns.AddGroup(p.name, p.id.producer, p.id.epoch, "g", wait(p, p.goOn))
		}, p.commitOffset)
	}
}

func (p *producer) commitOffset() {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.Version, req.Group, req.Generation = 5, "g", -1
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = p.name, p.id.producer, p.id.epoch
	at := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	at.Offset = int64(p.current.tag)
	req.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: fmt.Sprint("o", p.current.tag), Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{at}}}
	p.groups.TxnOffsetCommit(req, wait(p, func(resp *kmsg.TxnOffsetCommitResponse) {
		p.goOn(errorOf(resp.Topics[0].Partitions[0].ErrorCode))
	}))
}

func (p *producer) goOn(err *kerr.Error) {
	switch {
	case err == nil:
		p.todo = p.todo[1:]
	case err == kerr.ConcurrentTransactions:
	default:
		p.restart()
	}
}

func (p *producer) end() {
	a := p.current
	a.asked = true
	req := kmsg.NewPtrEndTxnRequest()
	req.Version, req.TransactionalID, req.Commit = p.version, p.name, a.commit
	req.ProducerID, req.ProducerEpoch = p.id.producer, p.id.epoch
	p.txns.EndTxn(req, wait(p, func(resp *kmsg.EndTxnResponse) {
		switch errorOf(resp.ErrorCode) {
		case nil:
			a.acked, p.current = true, nil
			if p.version >= 5 {
				p.id = id{resp.ProducerID, resp.ProducerEpoch}
			}
		case kerr.ConcurrentTransactions:
		default:
			p.restart()
		}
	}))
}

// check holds every attempt to all or nothing, once everything has ended.
func (c *cluster) check(producers []*producer) {
	c.t.Helper()
	for i, p := range c.partitions {
		for producer, open := range p.open {
			if len(open) > 0 {
				c.t.Errorf("partition %d: the transaction of producer %d hangs: %v", i, producer, open)
			}
		}
	}
	for _, p := range producers {
		for _, a := range p.attempts {
			c.checkAttempt(a)
		}
	}
}

func (c *cluster) checkAttempt(a *attempt) {
	c.t.Helper()
	seen, places := 0, len(a.partitions)
	for _, index := range a.partitions {
		n := c.partitions[index].visible[a.tag]
		if n > 1 {
			c.t.Errorf("%+v is seen %d times in partition %d", a, n, index)
		}
		seen += min(n, 1)
	}
	if a.offsets {
		places++
		seen += c.offset(a.tag)
	}
	switch {
	case seen != 0 && seen != places:
		c.t.Errorf("%+v is seen in %d of %d places", a, seen, places)
	case seen != 0 && !(a.asked && a.commit):
		c.t.Errorf("%+v is seen, and was not committed", a)
	case seen == 0 && a.acked && a.commit:
		c.t.Errorf("%+v was acknowledged, and is lost", a)
	}
}

// offset is 1 if the offset of an attempt is committed, else 0.
func (c *cluster) offset(tag int) int {
	c.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.Group, req.RequireStable = 7, "g", true
	req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: fmt.Sprint("o", tag), Partitions: []int32{0}}}
	var resp *kmsg.OffsetFetchResponse
	c.groups.OffsetFetch(req, func(r *kmsg.OffsetFetchResponse) { resp = r })
	switch p := resp.Topics[0].Partitions[0]; {
	case p.ErrorCode != 0:
		c.t.Errorf("offset of %d: %v", tag, errorOf(p.ErrorCode))
		return 0
	case p.Offset == int64(tag):
		return 1
	}
	return 0
}
