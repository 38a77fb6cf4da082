package killtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// transform is a group whose members write each record of a topic to another, with the
// positions in the same transactions.
type transform struct {
	w        *world
	from, to string
	members  int
	open     func(ctx context.Context, t *transform, id string) (transformer, error)
	// fed is closed when nothing more comes.
	fed          <-chan struct{}
	done         chan struct{} // closed when all that came is transformed
	mu           sync.Mutex
	told         map[string]int
	transactions int
	records      int
	max          int // records that a member takes at once
}

// transformer is one client of a transform: it ends with its first error.
type transformer interface {
	// step transforms what there is, and says how many records it was.
	step(polling, ctx context.Context) (int, error)
	close()
}

func newTransform(w *world, from, to string, fed <-chan struct{}, open func(context.Context, *transform, string) (transformer, error)) *transform {
	return &transform{
		w: w, from: from, to: to, members: 2, open: open, fed: fed, done: make(chan struct{}), told: map[string]int{},
		max: 100,
	}
}

func (t *transform) name() string  { return "transform of " + t.from }
func (t *transform) group() string { return t.from + "-to-" + t.to }
func (t *transform) topics() []kafka.Topic {
	return []kafka.Topic{{Name: t.to, Partitions: partitions}}
}
func (t *transform) did() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf("%d records in %d transactions; clients were told %v", t.records, t.transactions, t.told)
	if t.transactions < 5 {
		return text, errors.New("too few transactions")
	}
	return text, nil
}

func (t *transform) run(ctx context.Context) error {
	defer close(t.done)
	polling, stop := context.WithCancel(ctx)
	var members sync.WaitGroup
	for i := range t.members {
		members.Go(func() { t.member(polling, ctx, fmt.Sprintf("%s-%d", t.group(), i)) })
	}
	<-t.fed
	err := t.awaitAll(ctx)
	stop()
	members.Wait()
	return err
}

// member is one client after another, until polling ends.
func (t *transform) member(polling, ctx context.Context, id string) {
	for polling.Err() == nil {
		one, err := t.open(ctx, t, id)
		for err == nil && polling.Err() == nil {
			var n int
			if n, err = one.step(polling, ctx); n > 0 && err == nil {
				t.mu.Lock()
				t.transactions++
				t.records += n
				t.mu.Unlock()
			}
		}
		if err != nil && polling.Err() == nil {
			t.mu.Lock()
			t.told[err.Error()]++
			t.mu.Unlock()
		}
		if one != nil {
			one.close()
		}
	}
}

// awaitAll waits until the group's positions are past all that there is to read.
func (t *transform) awaitAll(ctx context.Context) error {
	input, err := t.w.read(ctx, t.from, true)
	if err != nil {
		return err
	}
	client, err := t.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for {
		at, err := admin.FetchOffsets(ctx, t.group())
		if err = errors.Join(err, at.Error()); err != nil {
			return err
		}
		if !t.behind(input, at) {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (t *transform) behind(input content, at kadm.OffsetResponses) bool {
	for p, records := range input {
		position, _ := at.Lookup(t.from, p)
		if n := len(records); n > 0 && position.At <= records[n-1].offset {
			return true
		}
	}
	return false
}

// transformed is the record that stands for another.
func transformed(to string, r *kgo.Record) *kgo.Record {
	m := message{Writer: fmt.Sprint(r.Partition), Key: string(r.Key), Seq: int(r.Offset)}
	return &kgo.Record{Topic: to, Partition: r.Partition, Key: r.Key, Value: m.encode(80)}
}

func (t *transform) check(ctx context.Context, f *findings) error {
	from, err := t.w.read(ctx, t.from, true)
	if err != nil {
		return err
	}
	to, err := t.w.read(ctx, t.to, true)
	if err != nil {
		return err
	}
	checkTransformed(f, from, to)
	return nil
}

// checkTransformed: each record of one topic stands in the other once, in order.
func checkTransformed(f *findings, from, to content) {
	found := map[int32]map[int64]bool{}
	last := map[int32]int64{}
	to.messages(f, func(r record, m message) {
		p, err := strconv.Atoi(m.Writer)
		if err != nil || int32(p) != r.partition {
			f.add(wrong, "%s at %s was never written there", m.Writer, placeOf(r))
			return
		}
		if found[r.partition] == nil {
			found[r.partition], last[r.partition] = map[int64]bool{}, -1
		}
		offset := int64(m.Seq)
		switch {
		case found[r.partition][offset]:
			f.add(duplicated, "input %d@%d, again at %s", p, offset, placeOf(r))
		case offset < last[r.partition]:
			f.add(reordered, "input %d@%d at %s comes after %d", p, offset, placeOf(r), last[r.partition])
		}
		found[r.partition][offset] = true
		last[r.partition] = max(last[r.partition], offset)
	})
	from.each(f, func(r record) {
		if !found[r.partition][r.offset] {
			f.add(lost, "input %s", placeOf(r))
		}
		delete(found[r.partition], r.offset)
	})
	for p, more := range found {
		for offset := range more {
			f.add(wrong, "input %d@%d was transformed, and is not there", p, offset)
		}
	}
}
