package eostest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/serde"
)

// seen is a record of an output.
type seen struct {
	value     int64
	partition int32
	offset    int64
}

// reader follows the outputs as a read-committed consumer.
type reader struct {
	t      testing.TB
	k      kafka.Config
	client *kgo.Client
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu   sync.Mutex
	got  map[string]map[string][]seen // by topic and key
	size map[string]int
	next map[string]map[int32]int64 // offsets
}

func newReader(t testing.TB, k kafka.Config) *reader {
	r := &reader{t: t, k: k, got: map[string]map[string][]seen{}, size: map[string]int{}, next: map[string]map[int32]int64{}}
	var topics []string
	for _, o := range outputs {
		r.got[o], r.next[o] = map[string][]seen{}, map[int32]int64{}
		topics = append(topics, k.Topic(o))
	}
	r.client = client(t, k, kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	r.done.Go(func() {
		for ctx.Err() == nil {
			r.take(r.client.PollFetches(ctx))
		}
	})
	t.Cleanup(r.end)
	return r
}

func (r *reader) end() { r.stop(); r.done.Wait() }

func (r *reader) take(fetches kgo.Fetches) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fetches.EachRecord(func(rec *kgo.Record) {
		topic := r.k.Local(rec.Topic)
		r.next[topic][rec.Partition] = rec.Offset + 1
		if rec.Attrs.IsControl() {
			return
		}
		v, err := serde.Int64().Decode(rec.Value)
		if err != nil {
			r.t.Errorf("%s-%d@%d: %v", topic, rec.Partition, rec.Offset, err)
			return
		}
		key := string(rec.Key)
		r.got[topic][key] = append(r.got[topic][key], seen{v, rec.Partition, rec.Offset})
		r.size[topic]++
	})
}

func (r *reader) count(topic string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size[topic]
}

// lacks names the outputs that are not complete yet.
func (r *reader) lacks(want map[string]series) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, topic := range outputs {
		if topic != groups {
			if n := want[topic].size(); r.size[topic] < n {
				out = append(out, fmt.Sprintf("%s has %d of %d", topic, r.size[topic], n))
			}
			continue
		}
		for key := range want[topic] {
			v, _ := want[topic].last(key)
			if got := r.got[topic][key]; len(got) == 0 || got[len(got)-1].value != v {
				out = append(out, fmt.Sprintf("%s of %s is not %d yet", topic, key, v))
			}
		}
	}
	return strings.Join(out, ", ")
}

// complete returns when everything that is wanted has come; what has not is shown. watch
// looks after the application meanwhile.
func (r *reader) complete(want map[string]series, watch func()) {
	r.t.Helper()
	done := false
	defer func() {
		if !done {
			r.compare(want)
		}
	}()
	await(r.t, "all outputs are complete", func() string {
		watch()
		return r.lacks(want)
	})
	done = true
}

// readToEnd also sees what should not be there. Nobody writes any more.
func (r *reader) readToEnd(ctx context.Context) {
	r.t.Helper()
	admin := kadm.NewClient(r.client)
	for _, topic := range outputs {
		ends, err := admin.ListCommittedOffsets(ctx, r.k.Topic(topic))
		if err == nil {
			err = ends.Error()
		}
		if err != nil {
			r.t.Fatal(err)
		}
		ends.Each(func(end kadm.ListedOffset) {
			await(r.t, fmt.Sprintf("%s-%d was read up to %d", topic, end.Partition, end.Offset), func() string {
				r.mu.Lock()
				defer r.mu.Unlock()
				if at := r.next[topic][end.Partition]; at < end.Offset {
					return fmt.Sprint("at ", at)
				}
				return ""
			})
		})
	}
}

// compare says the differences: every record of every key, in order.
func (r *reader) compare(want map[string]series) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	const most = 20
	n := 0
	differs := func(format string, args ...any) {
		if n++; n <= most {
			r.t.Errorf(format, args...)
		}
	}
	for _, topic := range outputs {
		for _, key := range keysOf(want[topic], r.got[topic]) {
			values, got := want[topic][key], r.got[topic][key]
			if topic == groups && len(got) > 0 {
				got = got[len(got)-1:]
			}
			if i := firstDifference(values, got); i >= 0 {
				differs("%s, key %s: record %d of %d (%d wanted): %s", topic, key, i, len(got), len(values), around(values, got, i))
			}
		}
	}
	if n > 0 {
		r.t.Errorf("%d keys of outputs differ", n)
	}
}

func keysOf(want series, got map[string][]seen) []string {
	all := map[string]bool{}
	for k := range want {
		all[k] = true
	}
	for k := range got {
		all[k] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// firstDifference is -1 where there is none.
func firstDifference(want []int64, got []seen) int {
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i].value {
			return i
		}
	}
	return -1
}

func around(want []int64, got []seen, at int) string {
	from := max(0, at-2)
	return fmt.Sprintf("wanted …%v, got …%v (value, partition, offset)",
		want[min(from, len(want)):min(at+4, len(want))], got[min(from, len(got)):min(at+4, len(got))])
}

// patience bounds every wait: machines are slow.
const patience = 5 * time.Minute

// await polls until what lacks is nothing.
func await(t testing.TB, what string, lacks func() string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for {
		missing := lacks()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s that %s: %s", patience, what, missing[:min(len(missing), 2000)])
		}
		<-tick.C
	}
}

func client(t testing.TB, k kafka.Config, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kafka.NewClient(k, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
