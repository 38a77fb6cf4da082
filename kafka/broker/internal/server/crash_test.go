package server_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestCrashes takes the power, or the process, at the operations of the disk while clients
// produce, end transactions with offsets in them, commit, delete and compact, and looks at all
// of it in what was left.
func TestCrashes(t *testing.T) {
	for seed := range uint64(testenv.Sized(3, 60)) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			testCrashes(t, seed)
		})
	}
}

// left is a folder after a crash, with what clients know of it.
type left struct {
	what  string
	fs    *simfs.FS
	books books
}

func testCrashes(t *testing.T, seed uint64) {
	fs := simfs.New()
	p := newPublic(t, seed, on(fs))
	var mu sync.Mutex
	var all []left
	rnd := rand.New(rand.NewPCG(seed, 2))
	fs.Hook(func(op simfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if rnd.IntN(testenv.Sized(25, 3)) == 0 {
			what := fmt.Sprintf("before operation %d, %s %s", op.Index, op.Kind, op.Name)
			all = append(all, left{"killed " + what, fs.Kill(), p.known()}, left{"power lost " + what, fs.Crash(rnd), p.known()})
		}
		return nil
	})
	for range 3 {
		for range 40 {
			p.step()
		}
		p.w.restart(p.w.stop)
		p.c = p.w.dial()
	}
	fs.Hook(nil)
	p.w.stop()
	for _, l := range all {
		checkLeft(t, l)
	}
	b := p.known()
	t.Logf("%d operations, %d clones; %d numbers, %d transactions", fs.Ops(), len(all), b.numbers, len(b.txns))
	if len(all) < 20 || b.numbers < 10 || len(b.txns) < 10 {
		t.Error("that is hardly a test")
	}
}

func on(fs vfs.FS) option { return func(w *world) { w.fs = fs } }

// books are what clients know: what was acknowledged, and what is under way, which may be there
// or not.
type books struct {
	producer          int64 // of the numbers
	epoch             int16
	numbers           int // 0 to numbers-1 are in the topic of that name, each with its offset as its value
	sending           bool
	start, newStart   int64 // of that topic
	offset, newOffset int64 // of the group "readers" in it
	keys, newKeys     map[string]string
	txns              []ending
}

// ending is how a transaction ends.
type ending int

const (
	open ending = iota // or its abort was asked for
	committing
	committed
)

// public are clients, who do one thing after the other.
type public struct {
	w   *world
	c   *conn
	rnd *rand.Rand

	txns []*txnClient

	mu    sync.Mutex
	books books
}

// txnClient is a transactional producer. A modern one does not say what it adds (KIP-890).
type txnClient struct {
	id       string
	modern   bool
	producer int64
	epoch    int16
	sequence int32
	number   int // of its open transaction, -1 for none
}

func newPublic(t *testing.T, seed uint64, options ...option) *public {
	p := &public{w: start(t, options...), rnd: rand.New(rand.NewPCG(seed, 1))}
	p.books = books{offset: -1, newOffset: -1, keys: map[string]string{}, newKeys: map[string]string{}}
	p.c = p.w.dial()
	small := map[string]string{"segment.bytes": "400", "retention.ms": "-1"}
	_, errs := p.w.node.Create([]node.NewTopic{
		{Name: "numbers", Partitions: 1, Settings: small},
		{Name: "txns", Partitions: 2, Settings: small},
		{Name: "keys", Partitions: 1, Settings: map[string]string{"segment.bytes": "400", "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0"}},
	}, false)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	init := kmsg.NewPtrInitProducerIDRequest()
	init.Version = 4
	got := ask[*kmsg.InitProducerIDResponse](p.c, init)
	p.books.producer, p.books.epoch = got.ProducerID, got.ProducerEpoch
	for _, x := range []*txnClient{{id: "old"}, {id: "modern", modern: true}} {
		got := ask[*kmsg.InitProducerIDResponse](p.c, initProducer(4, x.id))
		x.producer, x.epoch, x.number = got.ProducerID, got.ProducerEpoch, -1
		p.txns = append(p.txns, x)
	}
	return p
}

func (p *public) known() books {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.books
}

// note changes the books; what others have of them stays as it is.
func (p *public) note(change func(*books)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.books.keys, p.books.newKeys, p.books.txns = maps.Clone(p.books.keys), maps.Clone(p.books.newKeys), slices.Clone(p.books.txns)
	change(&p.books)
}

func (p *public) step() {
	switch n := p.rnd.IntN(100); {
	case n < 35:
		p.number()
	case n < 70:
		p.transaction(p.txns[p.rnd.IntN(len(p.txns))])
	case n < 80:
		p.commit()
	case n < 84:
		p.deleteSome()
	case n < 95:
		p.key()
	default:
		p.w.node.Maintain()
	}
}

func (p *public) number() {
	p.note(func(b *books) { b.sending = true })
	n := p.books.numbers
	wantCode(p.w.t, "a number", producedCode(p.c, p.books.numbered(n)), nil)
	p.note(func(b *books) { b.sending, b.numbers = false, n+1 })
}

func (b books) numbered(n int) *kmsg.ProduceRequest {
	h := batch.Header{ProducerID: b.producer, ProducerEpoch: b.epoch, BaseSequence: int32(n)}
	return produceTo(9, "numbers", batch.Build(h, batch.Record{Timestamp: time.Now().UnixMilli(), Value: fmt.Append(nil, n)}))
}

func (p *public) commit() {
	p.note(func(b *books) { b.newOffset++ })
	for _, code := range codes(ask[kmsg.Response](p.c, commitOffset(2, "readers", "", -1, "numbers", p.books.newOffset))) {
		wantCode(p.w.t, "OffsetCommit", code, nil)
	}
	p.note(func(b *books) { b.offset = b.newOffset })
}

func (p *public) deleteSome() {
	start := min(p.books.start+int64(p.rnd.IntN(4)), int64(p.books.numbers))
	p.note(func(b *books) { b.newStart = start })
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: "numbers", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: start}}}}
	wantCode(p.w.t, "DeleteRecords", ask[*kmsg.DeleteRecordsResponse](p.c, req).Topics[0].Partitions[0].ErrorCode, nil)
	p.note(func(b *books) { b.start = start })
}

func (p *public) key() {
	key, value := fmt.Sprint("key ", p.rnd.IntN(3)), fmt.Sprint("value ", p.rnd.IntN(1000))
	p.note(func(b *books) { b.newKeys[key] = value })
	records := batch.Build(unsequenced, batch.Record{Timestamp: time.Now().UnixMilli(), Key: []byte(key), Value: []byte(value)})
	wantCode(p.w.t, "a key", producedCode(p.c, produceTo(9, "keys", records)), nil)
	p.note(func(b *books) { b.keys[key] = value })
}

// transaction begins one, or ends it.
func (p *public) transaction(x *txnClient) {
	if x.number < 0 {
		p.begin(x)
	} else {
		p.end(x)
	}
}

// begin writes a value to both partitions, and an offset of a group that has the transaction's
// name.
func (p *public) begin(x *txnClient) {
	t := p.w.t
	x.number = len(p.books.txns)
	p.note(func(b *books) { b.txns = append(b.txns, open) })
	group, produce, commit := txnName(x.number), int16(9), int16(3)
	if x.modern {
		produce, commit = 12, 5
	} else {
		add := addPartitions(3, x.id, x.producer, x.epoch, "txns")
		add.Topics[0].Partitions = []int32{0, 1}
		settled(t, "AddPartitionsToTxn", func() []int16 { return codes(ask[kmsg.Response](p.c, add)) })
		settled(t, "AddOffsetsToTxn", func() []int16 { return codes(ask[kmsg.Response](p.c, addOffsets(3, x.id, x.producer, x.epoch, group))) })
	}
	settled(t, "records", func() []int16 {
		h := batch.Header{Attributes: 1 << 4, ProducerID: x.producer, ProducerEpoch: x.epoch, BaseSequence: x.sequence}
		one := func() []byte {
			return batch.Build(h, batch.Record{Timestamp: time.Now().UnixMilli(), Value: []byte(group)})
		}
		req := produceTo(produce, "txns", one(), one())
		req.TransactionID = &x.id
		return codes(ask[kmsg.Response](p.c, req))
	})
	settled(t, "TxnOffsetCommit", func() []int16 {
		return codes(ask[kmsg.Response](p.c, commitInTxn(commit, x.id, x.producer, x.epoch, group, "txns", 1)))
	})
}

func txnName(n int) string { return fmt.Sprint("transaction ", n) }

func (p *public) end(x *txnClient) {
	n, commit, version := x.number, p.rnd.IntN(10) < 7, int16(4)
	if commit {
		p.note(func(b *books) { b.txns[n] = committing })
	}
	if x.modern {
		version = 5
	}
	got := ask[*kmsg.EndTxnResponse](p.c, endTxn(version, x.id, x.producer, x.epoch, commit))
	wantCode(p.w.t, "EndTxn", got.ErrorCode, nil)
	if commit {
		p.note(func(b *books) { b.txns[n] = committed })
	}
	x.number = -1
	x.sequence++
	if x.modern {
		x.producer, x.epoch, x.sequence = got.ProducerID, got.ProducerEpoch, 0
	}
}

// settled asks again while the transaction before has not ended.
func settled(t testing.TB, what string, try func() []int16) {
	t.Helper()
	until(t, what, func() bool {
		done := true
		for _, code := range try() {
			if code != 0 {
				wantCode(t, what, code, kerr.ConcurrentTransactions)
				done = false
			}
		}
		return done
	})
}
