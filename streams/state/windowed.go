package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/streams/serde"
)

// TimeWindowedSerde is the format of windowed keys in topics, as Kafka's
// TimeWindowedSerializer makes them: the key and the window's start, 8 bytes. size is that
// of the windows; 0 gives windows without an end (math.MaxInt64).
func TimeWindowedSerde[K any](keys serde.Serde[K], size time.Duration) serde.Serde[Windowed[K]] {
	ms := size.Milliseconds()
	if size <= 0 {
		ms = forever
	}
	return timeWindowed[K]{keys, ms}
}

// SessionWindowedSerde is the format of the keys of sessions in topics, as Kafka's
// SessionWindowedSerializer makes them: the key, the end and the start, 8 bytes each.
func SessionWindowedSerde[K any](keys serde.Serde[K]) serde.Serde[Windowed[K]] {
	return sessionWindowed[K]{keys}
}

type timeWindowed[K any] struct {
	keys serde.Serde[K]
	size int64
}

func (s timeWindowed[K]) Append(dst []byte, w Windowed[K]) ([]byte, error) {
	dst, err := s.keys.Append(dst, w.Key)
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint64(dst, uint64(w.Window.Start)), nil
}

func (s timeWindowed[K]) Decode(data []byte) (w Windowed[K], err error) {
	n := len(data) - 8
	if n < 0 {
		return w, fmt.Errorf("windowed key: expected a key and 8 bytes of its window, got %d bytes", len(data))
	}
	w.Window = windowOf(int64(binary.BigEndian.Uint64(data[n:])), s.size)
	w.Key, err = s.keys.Decode(data[:n])
	return w, err
}

// ForTopic is that of the keys.
func (s timeWindowed[K]) ForTopic(topic string, key bool) (serde.Serde[Windowed[K]], error) {
	keys, err := serde.Of(s.keys, topic, key)
	return timeWindowed[K]{keys, s.size}, err
}

// PartitionKey is the part of an encoded key by which it is partitioned.
func (s timeWindowed[K]) PartitionKey(encoded []byte) []byte { return encoded[:len(encoded)-8] }

type sessionWindowed[K any] struct{ keys serde.Serde[K] }

func (s sessionWindowed[K]) Append(dst []byte, w Windowed[K]) ([]byte, error) {
	dst, err := s.keys.Append(dst, w.Key)
	if err != nil {
		return dst, err
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(w.Window.End))
	return binary.BigEndian.AppendUint64(dst, uint64(w.Window.Start)), nil
}

func (s sessionWindowed[K]) Decode(data []byte) (w Windowed[K], err error) {
	n := len(data) - 16
	if n < 0 {
		return w, fmt.Errorf("session key: expected a key and 16 bytes of its session, got %d bytes", len(data))
	}
	w.Window.End = int64(binary.BigEndian.Uint64(data[n:]))
	w.Window.Start = int64(binary.BigEndian.Uint64(data[n+8:]))
	w.Key, err = s.keys.Decode(data[:n])
	return w, err
}

// ForTopic is that of the keys.
func (s sessionWindowed[K]) ForTopic(topic string, key bool) (serde.Serde[Windowed[K]], error) {
	keys, err := serde.Of(s.keys, topic, key)
	return sessionWindowed[K]{keys}, err
}

// PartitionKey is the part of an encoded key by which it is partitioned.
func (s sessionWindowed[K]) PartitionKey(encoded []byte) []byte { return encoded[:len(encoded)-16] }
