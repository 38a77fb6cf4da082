package connect

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// encoder makes records of Kafka of what a source has made. One goroutine uses it.
type encoder struct {
	*run
	// topic and full are those of the last record, without and with the prefix.
	topic, full string
	headers     headerCache
}

func newEncoder(r *run) *encoder { return &encoder{run: r, headers: headerCache{convert: r.headers}} }

// encode a record into the memory of its batch; nil where a transform has dropped it.
func (e *encoder) encode(m *memory, r *plugin.Record) (*kgo.Record, error) {
	keep, err := e.chain.Apply(r)
	if err != nil || !keep {
		return nil, err
	}
	if e.full == "" || r.Topic != e.topic {
		e.topic, e.full = r.Topic, e.w.cfg.Kafka.Topic(r.Topic)
	}
	key, err := m.encode(e.keys, r.Topic, r.KeySchema, r.Key)
	if err != nil {
		return nil, fmt.Errorf("write the key of a record for topic %s: %w", r.Topic, err)
	}
	value, err := m.encode(e.values, r.Topic, r.ValueSchema, r.Value)
	if err != nil {
		return nil, fmt.Errorf("write the value of a record for topic %s: %w", r.Topic, err)
	}
	headers, err := e.headers.encode(r.Topic, r.Headers)
	if err != nil {
		return nil, err
	}
	out := m.record()
	*out = kgo.Record{Topic: e.full, Partition: r.Partition, Key: key, Value: value, Headers: headers}
	if r.Timestamp != plugin.NoTimestamp {
		out.Timestamp = time.UnixMilli(r.Timestamp)
	}
	return out, nil
}

// headerCache has the headers of the last record, which mostly are those of the next one.
type headerCache struct {
	convert plugin.HeaderConverter
	topic   string
	from    []plugin.Header
	to      []kgo.RecordHeader
}

func (c *headerCache) encode(topic string, headers []plugin.Header) ([]kgo.RecordHeader, error) {
	if len(headers) == 0 {
		return nil, nil
	}
	if topic == c.topic && sameHeaders(headers, c.from) {
		return c.to, nil
	}
	to := make([]kgo.RecordHeader, len(headers))
	for i, h := range headers {
		value, err := c.convert.EncodeHeader(topic, h)
		if err != nil {
			return nil, fmt.Errorf("write header %s of a record for topic %s: %w", h.Key, topic, err)
		}
		to[i] = kgo.RecordHeader{Key: h.Key, Value: value}
	}
	c.topic, c.from, c.to = topic, append(c.from[:0], headers...), to
	return to, nil
}

// sameHeaders says that both are alike, and have text only.
func sameHeaders(a, b []plugin.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		v, ok := a[i].Value.(string)
		w, also := b[i].Value.(string)
		if !ok || !also || v != w || a[i].Key != b[i].Key || a[i].Schema != b[i].Schema {
			return false
		}
	}
	return true
}

// memory of a batch's records. Once Kafka has them it is used again: garbage of that size would be
// collected often.
type memory struct {
	list    []*kgo.Record // room for one
	records [][]kgo.Record
	n       int // records in use
	texts   [][]byte
	text    int // texts that are full
	widest  int // what was encoded at once
}

const (
	recordsAtOnce = 256
	textAtOnce    = 64 << 10
	mostText      = 1 << 20 // of texts that are kept
)

// spares are memories that no batch has: one is gathered while another one is committed.
type spares chan *memory

func newSpares() spares { return make(spares, 2) }

func (s spares) take() *memory {
	select {
	case m := <-s:
		return m
	default:
		return &memory{}
	}
}

// give one back, empty.
func (s spares) give(m *memory) {
	select {
	case s <- m:
	default:
	}
}

// drop them all: nothing comes for now.
func (s spares) drop() {
	for range len(s) {
		s.take()
	}
}

// empty it: nobody has its records any more, nor their list.
func (m *memory) empty(list []*kgo.Record) {
	m.list = list[:0]
	for i := range (m.n + recordsAtOnce - 1) / recordsAtOnce {
		clear(m.records[i])
	}
	kept := m.texts[:0]
	for _, text := range m.texts {
		if cap(text) <= mostText {
			kept = append(kept, text[:0])
		}
	}
	clear(m.texts[len(kept):])
	m.texts, m.n, m.text, m.widest = kept, 0, 0, 0
}

func (m *memory) record() *kgo.Record {
	at := m.n / recordsAtOnce
	if at == len(m.records) {
		m.records = append(m.records, make([]kgo.Record, recordsAtOnce))
	}
	r := &m.records[at][m.n%recordsAtOnce]
	m.n++
	return r
}

// encode with a converter, in this memory where it can.
func (m *memory) encode(c converter.Converter, topic string, s *data.Schema, value any) ([]byte, error) {
	to, ok := c.(converter.Appender)
	if !ok || s == nil && value == nil {
		return c.Encode(topic, s, value)
	}
	room := m.room()
	from := len(*room)
	b, err := to.AppendEncode(*room, topic, s, value)
	if err != nil {
		return nil, err
	}
	*room = b
	m.widest = max(m.widest, len(b)-from)
	return b[from:len(b):len(b)], nil
}

// room for one more, which is likely to be as wide as others.
func (m *memory) room() *[]byte {
	for m.text < len(m.texts) {
		if t := m.texts[m.text]; len(t) == 0 || cap(t)-len(t) >= m.widest {
			return &m.texts[m.text]
		}
		m.text++
	}
	m.texts = append(m.texts, make([]byte, 0, textAtOnce))
	return &m.texts[m.text]
}
