package broker

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Offsets within a record batch of format 2.
const (
	batchMagic      = 16
	batchAttributes = 21
	batchNumRecords = 57
	batchHeader     = 61
)

// notAMagic is no format of record batches. A batch marked with it is answered
// with CORRUPT_MESSAGE, and the others of its request are served.
const notAMagic = 0x7f

// mostBatches in one produce request. Clients send one per partition.
const mostBatches = 20_000

// checkProduce walks a produce request. kfake panics on a partition that is
// named twice and on records that do not fill their batch exactly.
func (c *guardedConn) checkProduce(request, body []byte, version int16) error {
	walk := produceWalk{r: kbin.Reader{Src: body}, flexible: version >= 9}
	if version >= 3 {
		walk.nullableString()
	}
	acks := walk.r.Int16()
	walk.r.Int32() // timeout
	walk.topics()
	switch {
	case !walk.r.Ok():
		return refusal("a malformed Produce request came")
	case walk.batches > mostBatches:
		return refusal("a Produce request for too many partitions came")
	case walk.twice && acks == 0:
		return refusal("a Produce request came that names a partition twice")
	case walk.twice:
		return c.refuseProduce(request, body, version)
	}
	return nil
}

type produceWalk struct {
	r        kbin.Reader
	flexible bool
	batches  int
	twice    bool // a partition is named twice
	first    partition
	seen     map[partition]bool // where there are several
}

type partition struct {
	topic string
	index int32
}

func (w *produceWalk) topics() {
	for range w.arrayLen() {
		topic := w.string()
		for range w.arrayLen() {
			p := partition{topic, w.r.Int32()}
			records := w.bytes()
			w.tags()
			if !w.r.Ok() {
				return
			}
			w.note(p)
			spoilMalformed(records)
		}
		w.tags()
		if !w.r.Ok() {
			return
		}
	}
	w.tags()
}

func (w *produceWalk) note(p partition) {
	w.batches++
	if w.batches == 1 {
		w.first = p
		return
	}
	if w.seen == nil {
		w.seen = map[partition]bool{w.first: true}
	}
	w.twice = w.twice || w.seen[p]
	w.seen[p] = true
}

// spoilMalformed marks a batch whose records are not what its header says.
// Everything else about a batch kfake checks itself.
func spoilMalformed(batch []byte) {
	if len(batch) < batchHeader {
		return
	}
	codec := binary.BigEndian.Uint16(batch[batchAttributes:]) & 7
	count := int32(binary.BigEndian.Uint32(batch[batchNumRecords:]))
	if !framed(batch[batchHeader:], codec, count) {
		batch[batchMagic] = notAMagic
	}
}

// refuseProduce answers INVALID_REQUEST for every partition.
func (c *guardedConn) refuseProduce(request, body []byte, version int16) error {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(version)
	if err := req.ReadFrom(body); err != nil {
		return refusal("a malformed Produce request came")
	}
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			answer := kmsg.NewProduceResponseTopicPartition()
			answer.Partition, answer.ErrorCode = p.Partition, invalidRequest
			answer.ErrorMessage = kmsg.StringPtr("a partition is named twice")
			topic.Partitions = append(topic.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return c.answer(request, resp)
}

func (w *produceWalk) arrayLen() int32 {
	if w.flexible {
		return w.r.CompactArrayLen()
	}
	return w.r.ArrayLen()
}

func (w *produceWalk) string() string {
	if w.flexible {
		return w.r.UnsafeCompactString()
	}
	return w.r.UnsafeString()
}

func (w *produceWalk) nullableString() {
	if w.flexible {
		w.r.UnsafeCompactNullableString()
	} else {
		w.r.UnsafeNullableString()
	}
}

func (w *produceWalk) bytes() []byte {
	if w.flexible {
		return w.r.CompactNullableBytes()
	}
	return w.r.NullableBytes()
}

func (w *produceWalk) tags() {
	if w.flexible {
		skipTags(&w.r)
	}
}
