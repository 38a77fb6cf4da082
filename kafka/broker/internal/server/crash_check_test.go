package server_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// checkLeft starts a broker on what a crash has left, and compares it with what clients know.
func checkLeft(t *testing.T, l left) {
	t.Helper()
	w := start(t, on(l.fs))
	defer w.kill()
	f := &survey{t: t, what: l.what, w: w, c: w.dial(), books: l.books}
	defer f.c.Close()
	f.numbers()
	f.offsets()
	f.keys()
	f.endOpen()
	first := f.transactions()

	w.restart(w.kill)
	f.c.Close()
	f.c = w.dial()
	f.until("all are stable", func() bool { return f.stable() })
	if again := f.transactions(); !maps.EqualFunc(first, again, slices.Equal) {
		t.Errorf("%s: committed is %v, and after another kill %v", l.what, first, again)
	}
}

// survey is of a broker after a crash.
type survey struct {
	t     *testing.T
	what  string
	w     *world
	c     *conn
	books books
}

func (f *survey) errorf(format string, args ...any) {
	f.t.Helper()
	f.t.Errorf(f.what+": "+format, args...)
}

func (f *survey) until(what string, is func() bool) {
	f.t.Helper()
	until(f.t, f.what+": "+what, is)
}

// numbers are each there once, at its offset; a retry of the last is known, and it goes on.
func (f *survey) numbers() {
	b := f.books
	low, high := earliest(f.c, "numbers", 0), latest(f.c, "numbers", 0, 0)
	if low != b.start && low != b.newStart {
		f.errorf("the log starts at %d, where %d or %d was asked for", low, b.start, b.newStart)
	}
	if n := int64(b.numbers); high < n || high > n+1 || high > n && !b.sending {
		f.errorf("the log ends at %d, and %d were acknowledged (one more is under way: %v)", high, n, b.sending)
	}
	next := low
	for _, r := range f.read("numbers", 1) {
		if string(r.Value) != strconv.FormatInt(next, 10) || r.Offset != next {
			f.errorf("offset %d has %q, want %d", r.Offset, r.Value, next)
		}
		next++
	}
	if next != high {
		f.errorf("%d to %d can be read, of %d to %d", low, next, low, high)
	}
	f.sendAgain(int(high))
}

func (f *survey) sendAgain(high int) {
	for n := max(high-1, 0); n <= high; n++ {
		resp := ask[*kmsg.ProduceResponse](f.c, f.books.numbered(n)).Topics[0].Partitions[0]
		if resp.ErrorCode != 0 || resp.BaseOffset != int64(n) {
			f.errorf("number %d sent again: offset %d, %s", n, resp.BaseOffset, named(resp.ErrorCode))
		}
	}
	if end := latest(f.c, "numbers", 0, 0); end != int64(high)+1 {
		f.errorf("after numbers %d and %d the log ends at %d", high-1, high, end)
	}
}

func (f *survey) offsets() {
	if got := offsetOf(f.c, "readers", "numbers"); got != f.books.offset && got != f.books.newOffset {
		f.errorf("the group's offset is %d; %d was acknowledged, %d under way", got, f.books.offset, f.books.newOffset)
	}
}

// keys have their last values.
func (f *survey) keys() {
	got := map[string]string{}
	for _, r := range f.read("keys", 1) {
		got[string(r.Key)] = string(r.Value)
	}
	if !maps.Equal(got, f.books.keys) && !maps.Equal(got, f.books.newKeys) {
		f.errorf("keys %v; %v were acknowledged, %v under way", got, f.books.keys, f.books.newKeys)
	}
}

// endOpen has the producers' next lives abort what they had not ended.
func (f *survey) endOpen() {
	for _, id := range []string{"old", "modern"} {
		f.until("InitProducerID of "+id, func() bool {
			code := ask[*kmsg.InitProducerIDResponse](f.c, initProducer(4, id)).ErrorCode
			if code != 0 {
				wantCode(f.t, f.what+": InitProducerID", code, kerr.ConcurrentTransactions)
			}
			return code == 0
		})
	}
	f.until("all are stable", func() bool { return f.stable() })
}

func (f *survey) stable() bool {
	for p := range int32(2) {
		if latest(f.c, "txns", p, 1) != latest(f.c, "txns", p, 0) {
			return false
		}
	}
	return len(listed(f.c, "PrepareCommit", "PrepareAbort")) == 0
}

// transactions are whole or not there at all: in both partitions, and in the offsets. It returns
// the values of each partition.
func (f *survey) transactions() map[int32][]string {
	values := map[int32][]string{}
	for _, r := range f.read("txns", 2) {
		values[r.Partition] = append(values[r.Partition], string(r.Value))
	}
	count := func(p int32, value string) (n int) {
		for _, v := range values[p] {
			if v == value {
				n++
			}
		}
		return n
	}
	all := 0
	for n, ending := range f.books.txns {
		name := txnName(n)
		first, second, offset := count(0, name), count(1, name), offsetOf(f.c, name, "txns")
		all += first + second
		whole := first == 1 && second == 1 && offset == 1
		none := first == 0 && second == 0 && offset == -1
		if !whole && !none || whole && ending == open || none && ending == committed {
			f.errorf("%s (open, committing, committed: %d) is %d and %d times in the partitions, and its offset is %d", name, ending, first, second, offset)
		}
	}
	if n := len(values[0]) + len(values[1]); n != all {
		f.errorf("%d values are committed, of which %d are of transactions", n, all)
	}
	return values
}

// read is what a reader of committed records gets of a topic.
func (f *survey) read(topic string, partitions int32) (all []*kgo.Record) {
	f.t.Helper()
	next, end, from := map[int32]int64{}, map[int32]int64{}, map[int32]kgo.Offset{}
	for p := range partitions {
		next[p], end[p], from[p] = earliest(f.c, topic, p), latest(f.c, topic, p, 1), kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(f.w.addr), kgo.MetadataMinAge(10*time.Millisecond), kgo.FetchMaxWait(10*time.Millisecond),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		f.t.Fatal(err)
	}
	defer client.Close()
	for p := range partitions {
		for next[p] < end[p] {
			fetches := client.PollFetches(f.w.soon())
			if err := fetches.Err(); err != nil {
				f.t.Fatalf("%s: read %s: %v", f.what, topic, err)
			}
			fetches.EachRecord(func(r *kgo.Record) {
				if next[r.Partition] = r.Offset + 1; !r.Attrs.IsControl() {
					all = append(all, r)
				}
			})
		}
	}
	return all
}
