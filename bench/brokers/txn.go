package brokers

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
)

// Txn measures transactions of 100 records over all partitions, by one producer and by several at
// a time. Ours leaves writing down to the operating system, as Apache Kafka does; for what it
// costs to have each commit on disk there is one more of ours.
func Txn(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	o, err := parse("broker-txn", args, options{
		rounds: 5, sides: []string{ours, apache, kfake}, partitions: 4, duration: 3 * time.Second,
		producers: 8, size: 100, perCommit: 100,
	}, func(o *options, flags *flag.FlagSet) {
		flags.IntVar(&o.producers, "producers", o.producers, "producers at the same time, where there are several")
		flags.IntVar(&o.perCommit, "records", o.perCommit, "records of a transaction")
		flags.IntVar(&o.size, "size", o.size, "bytes of a record")
	})
	if err != nil {
		return nil, err
	}
	return withStage(ctx, o, pageCache, func(s *stage) (map[string]float64, error) {
		if s.find(ours) != nil {
			side, err := s.start(ctx, ours, onDisk)
			if err != nil {
				return nil, err
			}
			side.name = durable
		}
		figures, err := s.inRounds(ctx, o, w, func(side *side, r round) error { return s.txnTurn(ctx, o, side, r) }, compareTxn)
		smaller(figures, "ratio_kafka", "ratio_kafka_one", "ratio_kafka_several")
		return figures, err
	})
}

// durable is our broker with fsync.
const durable = "fsync"

func compareTxn(r round) {
	for _, many := range []string{"_one", "_several"} {
		r.ratio("ratio_kafka"+many, ours+"_per_s"+many, apache+"_per_s"+many)
		r.ratio("ratio_kafka_per_cpu"+many, apache+"_cpu_us"+many, ours+"_cpu_us"+many)
		r.ratio("fsync_ratio_kafka"+many, durable+"_per_s"+many, apache+"_per_s"+many)
	}
}

func (s *stage) txnTurn(ctx context.Context, o options, side *side, r round) error {
	for _, many := range []struct {
		name      string
		producers int
	}{{"_one", 1}, {"_several", o.producers}} {
		m, err := s.transact(ctx, o, side, many.producers, "txn "+side.name+many.name)
		if err != nil {
			return err
		}
		r[side.name+"_per_s"+many.name], r[side.name+"_cpu_us"+many.name] = m.perSecond(), m.cpuEach()*1e6
		r[side.name+"_p99_ms"+many.name] = percentile(m.latencies, 0.99)
	}
	return nil
}

// transact has producers commit one transaction after the other, and reads back what is
// committed.
func (s *stage) transact(ctx context.Context, o options, side *side, producers int, what string) (m crowded, err error) {
	topic := unique("txn")
	if err := side.client.create(ctx, topic, o.partitions, nil); err != nil {
		return m, err
	}
	all := make([]*transactions, producers)
	for i := range all {
		if all[i], err = newTransactions(side.addr, fmt.Sprint(topic, "-", i), topic, o.size, o.partitions); err != nil {
			return m, err
		}
		defer all[i].kgo.Close()
		if err := all[i].commit(ctx, uint64(i), o.perCommit); err != nil { // which gets a producer's id
			return m, fmt.Errorf("%s, %s: %w", side.name, what, err)
		}
	}
	latencies := make([][]time.Duration, producers)
	m.stretch, err = s.measure(side, what, func() (n int, err error) {
		group, ctx := errgroup.WithContext(ctx)
		until := time.Now().Add(o.duration)
		for i, t := range all {
			group.Go(func() (err error) { latencies[i], err = t.commitUntil(ctx, uint64(i), o.perCommit, until); return err })
		}
		err = group.Wait()
		for _, l := range latencies {
			n += len(l)
		}
		return n, err
	})
	if err != nil {
		return m, err
	}
	for _, l := range latencies {
		m.latencies = append(m.latencies, l...)
	}
	return m, errors.Join(checkCommitted(ctx, side, topic, all), side.client.drop(ctx, topic))
}

func (t *transactions) commitUntil(ctx context.Context, who uint64, n int, until time.Time) (took []time.Duration, err error) {
	for now := time.Now(); len(took) == 0 || now.Before(until); { // once even where it is late
		if err := t.commit(ctx, who, n); err != nil {
			return took, err
		}
		then := time.Now()
		took = append(took, then.Sub(now))
		now = then
	}
	return took, nil
}

func checkCommitted(ctx context.Context, side *side, topic string, all []*transactions) error {
	sent := 0
	for _, t := range all {
		sent += int(t.sent)
	}
	tally := newTally()
	found := []error{side.client.read(ctx, topic, sent, tally.add)}
	for i, t := range all {
		found = append(found, tally.complete(uint64(i), t.sent))
	}
	return errors.Join(found...)
}
