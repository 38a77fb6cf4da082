package run

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// purger deletes records of repartition topics that are processed: nobody else needs them,
// and the topics keep them for ever.
type purger struct {
	r        *Runtime
	internal map[string]bool

	mu     sync.Mutex
	upTo   map[topicPartition]int64
	purged map[topicPartition]int64
}

// purgeEvery is as in Kafka Streams.
const purgeEvery = 30 * time.Second

func newPurger(r *Runtime) *purger {
	p := &purger{r: r, internal: map[string]bool{}, upTo: map[topicPartition]int64{}, purged: map[topicPartition]int64{}}
	for name, t := range r.layout().internal {
		p.internal[name] = !t.changelog
	}
	for _, sub := range r.cfg.Topology.Subs { // a table's changelog may be its repartition topic
		for _, s := range sub.Stores {
			if s.Source != nil {
				p.internal[r.layout().names.Topic(*s.Source)] = false
			}
		}
	}
	return p
}

// note says what is committed.
func (p *purger) note(offsets map[topicPartition]position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for tp, at := range offsets {
		if p.internal[tp.topic] {
			p.upTo[tp] = at.offset
		}
	}
}

func (p *purger) run(ctx context.Context) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.purge(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (p *purger) purge(ctx context.Context) {
	p.mu.Lock()
	offsets := kadm.Offsets{}
	for tp, at := range p.upTo {
		if p.purged[tp] < at {
			offsets.AddOffset(tp.topic, tp.partition, at, -1)
		}
	}
	p.mu.Unlock()
	if len(offsets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, purgeEvery)
	defer cancel()
	answers, err := kadm.NewClient(p.r.admin).DeleteRecords(ctx, offsets)
	if err == nil {
		err = p.deleted(offsets, answers)
	}
	if err != nil {
		p.r.problems.Report(whatPurges, err)
		return
	}
	p.r.problems.Solve(whatPurges)
}

const whatPurges = "deleting processed repartition records"

// deleted notes where it went well, and returns one of the errors; those are tried again.
func (p *purger) deleted(asked kadm.Offsets, answers kadm.DeleteRecordsResponses) (failed error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked.Each(func(o kadm.Offset) {
		answer, ok := answers.Lookup(o.Topic, o.Partition)
		switch {
		case ok && answer.Err == nil:
			p.purged[topicPartition{o.Topic, o.Partition}] = o.At
		case ok:
			failed = fmt.Errorf("%s/%d before offset %d: %w", o.Topic, o.Partition, o.At, answer.Err)
		default:
			failed = fmt.Errorf("%s/%d before offset %d: no broker has answered", o.Topic, o.Partition, o.At)
		}
	})
	return failed
}
