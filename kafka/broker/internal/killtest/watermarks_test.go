package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// watermarks looks at the ends of partitions all the time: none of them goes back.
type watermarks struct {
	w       *world
	random  *rand.Rand
	of      []workload
	highest map[mark]int64
	mu      sync.Mutex
	looks   int
	found   findings
}

type mark struct {
	what      string
	topic     string
	partition int32
}

func newWatermarks(w *world, of ...workload) *watermarks {
	return &watermarks{w: w, random: w.fork(), of: of, highest: map[mark]int64{}}
}

func (m *watermarks) name() string          { return "watermarks" }
func (m *watermarks) topics() []kafka.Topic { return nil }

func (m *watermarks) run(ctx context.Context) error {
	client, err := m.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	for !m.w.over() {
		if _, err := m.look(ctx, client); err != nil && !passing(err) {
			return err
		}
		m.w.pace(m.random, 100*time.Millisecond)
	}
	return nil
}

// look notes the ends, and says how far they are apart: what readers of committed records do
// not see yet.
func (m *watermarks) look(ctx context.Context, client *kgo.Client) (apart int64, err error) {
	admin := kadm.NewClient(client)
	var topics []string
	for _, l := range m.of {
		for _, t := range l.topics() {
			topics = append(topics, t.Name)
		}
	}
	for _, kind := range []struct {
		what string
		list func(context.Context, ...string) (kadm.ListedOffsets, error)
		sign int64
	}{
		{"the log start", admin.ListStartOffsets, 0},
		{"the last stable offset", admin.ListCommittedOffsets, -1},
		{"the high watermark", admin.ListEndOffsets, 1},
	} {
		listed, err := kind.list(ctx, topics...)
		if err = errors.Join(err, listed.Error()); err != nil {
			return 0, err
		}
		listed.Each(func(o kadm.ListedOffset) {
			apart += kind.sign * o.Offset
			m.note(mark{kind.what, o.Topic, o.Partition}, o.Offset)
		})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
	return apart, nil
}

func (m *watermarks) note(of mark, offset int64) {
	if before, ok := m.highest[of]; ok && offset < before {
		m.found.add(wrong, "%s of %s/%d went back from %d to %d", of.what, of.topic, of.partition, before, offset)
	}
	m.highest[of] = max(m.highest[of], offset)
}

// check also waits for the ends of all transactions.
func (m *watermarks) check(ctx context.Context, f *findings) error {
	client, err := m.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		apart, err := m.look(ctx, client)
		if err != nil {
			return err
		}
		if apart == 0 {
			break
		}
		if time.Now().After(deadline) {
			f.add(wrong, "all transactions were ended, and %d offsets are not stable: %v", apart, m.highest)
			break
		}
	}
	m.found.into(f)
	return nil
}

func (m *watermarks) did() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.looks < 5 {
		return "", errors.New("too few looks")
	}
	return fmt.Sprintf("%d looks", m.looks), nil
}
