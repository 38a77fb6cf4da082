package streamstest

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// topics are the logs of a broker with one producer that has transactions.
type topics struct {
	byName     map[string]*topic
	partitions func(name string) int32
	open       []place // what the transaction has written
	seen       int64   // numbers records in the order in which they became visible
}

// topic is its partitions, and what was committed to all of them in order.
type topic struct {
	name       string
	partitions []*log
	committed  []*kgo.Record
	keyless    int32 // where the next record without a key goes
}

// log is a partition. A nil record is one that was aborted: offsets have gaps.
type log struct {
	records []*kgo.Record
	seen    []int64 // when a record became visible
	stable  int64   // offset up to which a consumer reads
}

// place of a record.
type place struct {
	topic  *topic
	log    *log
	record *kgo.Record
}

func (c *topics) topic(name string) *topic {
	t := c.byName[name]
	if t == nil {
		t = &topic{name: name}
		for range max(c.partitions(name), 1) {
			t.partitions = append(t.partitions, &log{})
		}
		c.byName[name] = t
	}
	return t
}

// append writes a record at the end of its partition; a transaction has to commit it.
func (c *topics) append(r *kgo.Record) (place, error) {
	t := c.topic(r.Topic)
	if r.Partition < 0 {
		r.Partition = t.choose(r.Key)
	}
	if int(r.Partition) >= len(t.partitions) {
		return place{}, fmt.Errorf("%s has %d partitions: there is no %d", t.name, len(t.partitions), r.Partition)
	}
	l := t.partitions[r.Partition]
	r.Offset = int64(len(l.records))
	l.records = append(l.records, r)
	l.seen = append(l.seen, 0)
	return place{t, l, r}, nil
}

// see makes a record visible.
func (c *topics) see(p place) {
	c.seen++
	p.log.seen[p.record.Offset] = c.seen
	p.log.stable = p.record.Offset + 1
	p.topic.committed = append(p.topic.committed, p.record)
}

// commit ends the transaction.
func (c *topics) commit() {
	for _, p := range c.open {
		c.see(p)
	}
	c.open = c.open[:0]
}

// abort ends the transaction: its offsets stay without records.
func (c *topics) abort() {
	for _, p := range c.open {
		p.log.records[p.record.Offset] = nil
	}
	c.open = c.open[:0]
}

// choose is the partition of a key, as Kafka's producers do; records without one go round.
func (t *topic) choose(key []byte) int32 {
	n := int32(len(t.partitions))
	if key == nil {
		t.keyless++
		return (t.keyless - 1) % n
	}
	return int32(partitioner.Partition(&kgo.Record{Key: key}, int(n)))
}

// partitioner hashes keys as Kafka's.
var partitioner = kgo.StickyKeyPartitioner(nil).ForTopic("")

// from returns the records of offset from on that a consumer reads, and where it is then.
func (l *log) from(offset int64) ([]*kgo.Record, int64) {
	var out []*kgo.Record
	for ; offset < l.stable; offset++ {
		if r := l.records[offset]; r != nil {
			copied := *r
			out = append(out, &copied)
		}
	}
	return out, offset
}
