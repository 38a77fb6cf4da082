package streams

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/streams/serde"
)

// changes is the format of changes in repartition topics, Kafka Streams' own: the prior value
// and 0; the next one and 1; both, the length of the next one before them, and 2. With 3 to 5
// for them, a byte before says whether the change is the latest of its key.
func changes[V any](vs serde.Serde[V]) serde.Serde[change[V]] { return changeSerde[V]{vs} }

type changeSerde[V any] struct{ values serde.Serde[V] }

// The last byte of a change.
const (
	changePrior = iota
	changeNext
	changeBoth
	changeWithLatest // is added to the others
)

// ForTopic resolves the values' serde.
func (s changeSerde[V]) ForTopic(topic string, key bool) (serde.Serde[change[V]], error) {
	values, err := serde.Of(s.values, topic, key)
	return changeSerde[V]{values}, err
}

// Append encodes a change.
func (s changeSerde[V]) Append(dst []byte, ch change[V]) (_ []byte, err error) {
	switch {
	case ch.hasNext && ch.hasPrior:
		return s.appendBoth(dst, ch)
	case ch.hasNext:
		if dst, err = s.values.Append(dst, ch.next); err != nil {
			return nil, err
		}
		return append(dst, changeNext), nil
	case ch.hasPrior:
		if dst, err = s.values.Append(dst, ch.prior); err != nil {
			return nil, err
		}
		return append(dst, changePrior), nil
	}
	return nil, errors.New("a change without a next or a prior value")
}

func (s changeSerde[V]) appendBoth(dst []byte, ch change[V]) ([]byte, error) {
	next, err := s.values.Append(nil, ch.next)
	if err != nil {
		return nil, err
	}
	dst = append(binary.AppendVarint(dst, int64(len(next))), next...)
	if dst, err = s.values.Append(dst, ch.prior); err != nil {
		return nil, err
	}
	return append(dst, changeBoth), nil
}

// Decode decodes a change.
func (s changeSerde[V]) Decode(data []byte) (ch change[V], err error) {
	if len(data) == 0 {
		return ch, errors.New("an empty change")
	}
	kind := data[len(data)-1]
	data = data[:len(data)-1]
	if kind >= changeWithLatest && kind <= changeWithLatest+changeBoth {
		if len(data) == 0 {
			return ch, errors.New("a change without its flag")
		}
		kind -= changeWithLatest
		ch.late = data[len(data)-1] == 0
		data = data[:len(data)-1]
	}
	switch kind {
	case changePrior:
		ch.hasPrior = true
		ch.prior, err = s.values.Decode(data)
		return ch, err
	case changeNext:
		ch.hasNext = true
		ch.next, err = s.values.Decode(data)
		return ch, err
	case changeBoth:
		return s.decodeBoth(ch, data)
	}
	return ch, fmt.Errorf("a change of unknown kind %d", kind)
}

func (s changeSerde[V]) decodeBoth(ch change[V], data []byte) (_ change[V], err error) {
	size, n := binary.Varint(data)
	if n <= 0 || size < 0 || size > int64(len(data)-n) {
		return ch, errors.New("a change whose next value is cut off")
	}
	ch.hasNext, ch.hasPrior = true, true
	if ch.next, err = s.values.Decode(data[n : n+int(size)]); err != nil {
		return ch, err
	}
	ch.prior, err = s.values.Decode(data[n+int(size):])
	return ch, err
}
