package brokers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// acknowledged is, by partition, the offset after the last record that was.
type acknowledged map[int32]int64

// flood writes to a broker as fast as it goes and kills it meanwhile.
func flood(ctx context.Context, side *side, size int, duration time.Duration) (acknowledged, error) {
	client, err := connectKafka(side.addr, kgo.MaxBufferedRecords(200_000))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	all, any := acknowledged{}, make(chan struct{})
	note := func(r *kgo.Record, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			if len(all) == 0 {
				close(any)
			}
			all[r.Partition] = max(all[r.Partition], r.Offset+1)
		}
	}
	flooding := make(chan struct{})
	go func() {
		defer close(flooding)
		for v, n := newValues(size), uint64(0); ctx.Err() == nil; n++ {
			client.Produce(ctx, &kgo.Record{Topic: loaded, Value: v.of(n)}, note)
		}
	}()
	err = wait(ctx, duration)
	select {
	case <-any:
	case <-time.After(time.Minute): // which kept tells
	}
	err = errors.Join(err, side.server.Kill())
	cancel()
	<-flooding
	client.Close() // nothing is acknowledged from here on
	mu.Lock()
	defer mu.Unlock()
	return all, err
}

// kept fails where the broker has less than it acknowledged.
func (a acknowledged) kept(ctx context.Context, side *side) error {
	c, ok := side.client.(*kafkaClient)
	if !ok || len(a) == 0 {
		return fmt.Errorf("%s acknowledged nothing before it was killed", side.name)
	}
	ends, err := c.admin.ListEndOffsets(ctx, loaded)
	if err != nil {
		return err
	}
	for partition, next := range a {
		if end, ok := ends.Lookup(loaded, partition); !ok || end.Offset < next {
			return fmt.Errorf("partition %d ended at %d when it was killed, and ends at %d (%v)", partition, next, end.Offset, end.Err)
		}
	}
	return nil
}
