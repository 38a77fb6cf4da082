package streams

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/streams/serde"
)

// subscription asks the table of foreign keys for the value of one, on behalf of a key of
// the other table.
type subscription struct {
	of      valueHash
	instruc instruction
	// key of the asking table, as bytes, and its partition.
	key       []byte
	partition int32
}

// valueHash is of the value that asks, by which it is known whether it still holds; none is of a
// deleted value.
type valueHash struct {
	bytes [16]byte
	none  bool
}

func hashOf(value []byte) (h valueHash) {
	h1, h2 := hash128(value)
	binary.BigEndian.PutUint64(h.bytes[:], h1)
	binary.BigEndian.PutUint64(h.bytes[8:], h2)
	return h
}

// instruction is what becomes of a subscription.
type instruction byte

const (
	unsubscribe          instruction = iota // without a response
	unsubscribeAndDelete                    // the result is deleted
	subscribeAndRespond                     // also where the foreign key has no value
	subscribeIfFound                        // a response only if it has one
)

// Versions of the formats.
const (
	subscriptionVersion = 1
	responseVersion     = 0
	noHash              = 0x80
)

// subscriptionSerde has Kafka Streams' format: version and whether there is a hash,
// instruction, hash, key, partition.
type subscriptionSerde struct{}

func (subscriptionSerde) Append(b []byte, s subscription) ([]byte, error) {
	b = appendHash(b, subscriptionVersion, s.of, byte(s.instruc))
	b = append(b, s.key...)
	return binary.BigEndian.AppendUint32(b, uint32(s.partition)), nil
}

func appendHash(b []byte, version byte, h valueHash, more ...byte) []byte {
	if h.none {
		return append(append(b, version|noHash), more...)
	}
	return append(append(append(b, version), more...), h.bytes[:]...)
}

var errSubscription = errors.New("a message of a foreign-key join is too short")

func (subscriptionSerde) Decode(data []byte) (s subscription, err error) {
	if len(data) < 2 {
		return s, errSubscription
	}
	if v := data[0] &^ noHash; v != subscriptionVersion {
		return s, fmt.Errorf("a subscription of a foreign-key join has version %d, known is %d", v, subscriptionVersion)
	}
	s.of.none = data[0]&noHash != 0
	s.instruc = instruction(data[1])
	data = data[2:]
	if !s.of.none {
		if len(data) < 16 {
			return s, errSubscription
		}
		copy(s.of.bytes[:], data)
		data = data[16:]
	}
	if len(data) < 4 {
		return s, errSubscription
	}
	s.key = bytes.Clone(data[:len(data)-4])
	s.partition = int32(binary.BigEndian.Uint32(data[len(data)-4:]))
	return s, nil
}

// response is what the table of foreign keys answers.
type response[R any] struct {
	of        valueHash
	value     R
	hasValue  bool
	partition int32 // of the asking key; not part of the message
}

// responseSerde has Kafka Streams' format: version and whether there is a hash, hash,
// value. As there, a value of no bytes is none.
type responseSerde[R any] struct{ values serde.Serde[R] }

// ForTopic chooses the serde of values.
func (s responseSerde[R]) ForTopic(topic string, key bool) (serde.Serde[response[R]], error) {
	values, err := serde.Of(s.values, topic, key)
	return responseSerde[R]{values}, err
}

func (s responseSerde[R]) Append(b []byte, r response[R]) ([]byte, error) {
	b = appendHash(b, responseVersion, r.of)
	if !r.hasValue {
		return b, nil
	}
	return s.values.Append(b, r.value)
}

func (s responseSerde[R]) Decode(data []byte) (r response[R], err error) {
	if len(data) < 1 {
		return r, errSubscription
	}
	if v := data[0] &^ noHash; v != responseVersion {
		return r, fmt.Errorf("a response of a foreign-key join has version %d, known is %d", v, responseVersion)
	}
	r.of.none = data[0]&noHash != 0
	data = data[1:]
	if !r.of.none {
		if len(data) < 16 {
			return r, errSubscription
		}
		copy(r.of.bytes[:], data)
		data = data[16:]
	}
	if r.hasValue = len(data) > 0; r.hasValue {
		r.value, err = s.values.Decode(data)
	}
	return r, err
}

// combined is the key of a subscription's entry in the store: the length of the foreign
// key, it, and the asking key.
func combined(dst, foreign, key []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(foreign)))
	return append(append(dst, foreign...), key...)
}
