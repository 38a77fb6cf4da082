package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sequences are idempotent producers that number the records of each key.
type sequences struct {
	w         *world
	topic     string
	producers int
	config    map[string]string
	size      int           // of a value, at most
	pace      time.Duration // between bursts, at most
	timestamp func(*rand.Rand) time.Time
	gone      func(place) bool
	book      *sequenceBook
	done      chan struct{} // closed when nothing more comes
	tail      *tail
	random    []*rand.Rand
	mu        sync.Mutex
	clients   int
	abandoned int
}

func newSequences(w *world, topic string) *sequences {
	s := &sequences{
		w: w, topic: topic, producers: 3, size: 200, pace: 10 * time.Millisecond, gone: never, book: newSequenceBook(),
		done:      make(chan struct{}),
		timestamp: func(*rand.Rand) time.Time { return time.Time{} },
	}
	for range s.producers {
		s.random = append(s.random, w.fork())
	}
	return s
}

func (s *sequences) name() string { return "idempotent producers of " + s.topic }

func (s *sequences) topics() []kafka.Topic {
	return []kafka.Topic{{Name: s.topic, Partitions: 3, Config: s.config}}
}

func (s *sequences) run(ctx context.Context) error {
	defer close(s.done)
	var producers sync.WaitGroup
	failed := make([]error, len(s.random))
	for i, random := range s.random {
		producers.Go(func() {
			for life := 0; !s.w.over() && failed[i] == nil; life++ {
				failed[i] = s.live(ctx, fmt.Sprintf("p%d.%d", i, life), random)
			}
		})
	}
	if s.tail != nil {
		failed = append(failed, s.tail.run(ctx, &producers))
	}
	producers.Wait()
	return errors.Join(failed...)
}

// live is one client. A next one has other keys: what this one has sent, and nobody
// acknowledged, may arrive later.
func (s *sequences) live(ctx context.Context, id string, random *rand.Rand) error {
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.NoCompression(), kgo.SnappyCompression(), kgo.ZstdCompression()}
	client, err := s.w.client(kgo.DefaultProduceTopic(s.topic), kgo.StopProducerOnDataLossDetected(),
		kgo.ProducerBatchCompression(codecs[random.IntN(len(codecs))]), kgo.MaxBufferedRecords(500), kgo.MaxBufferedBytes(8<<20),
		kgo.ProducerLinger(time.Duration(random.IntN(2))*5*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	var acknowledging acknowledging
	for bursts := 50 + random.IntN(400); bursts > 0 && !s.w.over(); bursts-- {
		for range 1 + random.IntN(12) {
			s.produce(ctx, client, id, random, &acknowledging)
		}
		if err := acknowledging.failed(); err != nil {
			return err
		}
		s.w.pace(random, s.pace)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients++; random.IntN(3) == 0 && !s.w.over() {
		s.abandoned++
		acknowledging.abandon()
		return nil
	}
	return errors.Join(client.Flush(ctx), acknowledging.failed())
}

func (s *sequences) produce(ctx context.Context, client *kgo.Client, id string, random *rand.Rand, a *acknowledging) {
	key := fmt.Sprintf("%s.k%d", id, random.IntN(5))
	m := message{Writer: id, Key: key, Seq: s.book.next(key)}
	r := &kgo.Record{Key: []byte(key), Value: m.encode(60 + random.IntN(s.size)), Timestamp: s.timestamp(random)}
	client.Produce(ctx, r, func(r *kgo.Record, err error) {
		if err != nil {
			a.fail(err)
			return
		}
		s.book.acknowledge(m.Key, m.Seq, place{r.Partition, r.Offset, r.Timestamp, len(r.Value)})
	})
}

func (s *sequences) check(ctx context.Context, f *findings) error {
	for _, onlyCommitted := range []bool{false, true} {
		c, err := s.w.read(ctx, s.topic, onlyCommitted)
		if err != nil {
			return err
		}
		s.book.check(f, c, s.gone)
		if s.tail != nil {
			s.tail.compare(f, c)
		}
	}
	return nil
}

func (s *sequences) did() (string, error) {
	n := s.book.acknowledged()
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf("%d records acknowledged to %d clients, of which %d were abandoned", n, s.clients, s.abandoned)
	if n < 100 {
		return text, errors.New("too few records")
	}
	return text, nil
}

// acknowledging is what became of a client's records.
type acknowledging struct {
	mu        sync.Mutex
	err       error
	abandoned bool
}

func (a *acknowledging) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil && !a.abandoned {
		a.err = err
	}
}

func (a *acknowledging) failed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// abandon says that errors are no matter from now on.
func (a *acknowledging) abandon() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.abandoned = true
}
