// Package serde turns keys and values into the bytes of records and stores, and back.
// The formats of String, Bytes, Int32, Int64, Float64 and the windowed keys are those of
// Kafka's own serializers, so that other Kafka clients read them.
package serde

// Serde encodes and decodes a type. It is used by many goroutines at once.
type Serde[T any] interface {
	// Append appends the bytes of v to dst and returns the longer slice.
	Append(dst []byte, v T) ([]byte, error)
	// Decode makes a value of the bytes, which it must neither keep nor change.
	Decode(data []byte) (T, error)
}

// ForTopic is what a Serde may have in addition, where its format depends on the topic,
// as with a schema registry. It is called once for each topic that is read or written;
// key says that keys are meant. Stores use the name of their changelog topic.
type ForTopic[T any] interface {
	Serde[T]
	ForTopic(topic string, key bool) (Serde[T], error)
}

// Of returns the serde for a topic: s itself, unless it is one of ForTopic.
func Of[T any](s Serde[T], topic string, key bool) (Serde[T], error) {
	if f, ok := s.(ForTopic[T]); ok {
		return f.ForTopic(topic, key)
	}
	return s, nil
}
