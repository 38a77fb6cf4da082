package wire

import (
	"unsafe"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// mostPartitions of one Produce request. Clients name those that they have records for.
const mostPartitions = 20_000

// partitionMemory is what a partition of a request takes until it is answered.
const partitionMemory = 512

// decodeProduce reads a request of whose memory it uses what is there, and refers to
// the bytes of body: strings and records are valid as long as these. It returns about
// how much memory the request and its answer take.
func decodeProduce(req *kmsg.ProduceRequest, body []byte) (memory int, err error) {
	d := produceDecoder{walk: walk{rest: body}, flexible: req.IsFlexible(), byID: req.Version >= 13}
	req.TransactionID = nil
	if id, ok := d.text(); ok {
		req.TransactionID = &id
	}
	req.Acks = int16(uint16(d.number(2)))
	req.TimeoutMillis = int32(d.number(4))
	n := d.count(d.leastTopic())
	req.Topics = room(req.Topics, n)
	for i := range req.Topics {
		d.topic(&req.Topics[i])
	}
	d.tags()
	if d.bad {
		return 0, refuse("a malformed Produce request of version %d came", req.Version)
	}
	return d.decoded + d.partitions*partitionMemory, nil
}

// mostKept is how many partitions a connection keeps the structure of.
const mostKept = 256

// forget has a request refer to no bytes any more.
func forget(req *kmsg.ProduceRequest) {
	req.TransactionID = nil
	for i := range req.Topics {
		t := &req.Topics[i]
		t.Topic = ""
		clear(t.Partitions)
		if len(t.Partitions) > mostKept {
			t.Partitions = nil
		}
	}
	if len(req.Topics) > mostKept {
		req.Topics = nil
	}
}

type produceDecoder struct {
	walk
	flexible, byID bool
	partitions     int
}

func (d *produceDecoder) leastTopic() int {
	if d.byID {
		return 16 + 2
	}
	return 2
}

func (d *produceDecoder) topic(t *kmsg.ProduceRequestTopic) {
	t.Topic, t.TopicID = "", [16]byte{}
	if d.byID {
		copy(t.TopicID[:], d.take(16))
	} else {
		t.Topic, _ = d.text()
	}
	t.Partitions = room(t.Partitions, d.count(4+1))
	for i := range t.Partitions {
		p := &t.Partitions[i]
		p.Partition = int32(d.number(4))
		p.Records = nil
		if n := d.length(d.flexible, 4); n >= 0 {
			p.Records = d.take(n)
		}
		d.tags()
	}
	d.tags()
}

// count reads how many elements follow, of which each has at least so many bytes.
func (d *produceDecoder) count(least int) int {
	n := max(0, d.length(d.flexible, 4))
	if d.partitions += n; n > len(d.rest)/least || d.partitions > mostPartitions {
		d.fail()
		return 0
	}
	return n
}

func (d *produceDecoder) tags() {
	if d.flexible {
		d.skipTags()
	}
}

// text reads a string that may be null.
func (d *produceDecoder) text() (string, bool) {
	n := d.length(d.flexible, 2)
	if n < 0 {
		return "", false
	}
	b := d.take(n)
	return unsafe.String(unsafe.SliceData(b), len(b)), !d.bad
}

func (d *produceDecoder) number(size int) (v uint64) {
	for _, b := range d.take(size) {
		v = v<<8 | uint64(b)
	}
	return v
}

// room returns a slice of n elements, with those that were there.
func room[E any](s []E, n int) []E {
	if n > cap(s) {
		return make([]E, n)
	}
	return s[:n]
}
