// Package debezium runs connectors in the real Kafka Connect with Debezium and in ours, on
// the same database, and compares what they send, byte for byte.
package debezium

import (
	"testing"
)

// Topics are the records of a connector by topic, each in its order.
type Topics map[string][]Record

// Record as it is in Kafka. A nil Key or Value is null.
type Record struct {
	Key, Value []byte
	Headers    []Header
	// Time in milliseconds; our sources leave it to the producer, unless a transform sets it.
	Time int64
}

// Header of a record.
type Header struct {
	Key   string
	Value []byte
}

// has says whether a topic has at least as many records.
func has(t testing.TB, side Side, topic string, records int) bool {
	t.Helper()
	return len(side.Sent(t, topic)) >= records
}

// Side runs connectors. Each topic has one partition.
type Side interface {
	// Start gives a connector its configuration and lets it run; it may still be at its
	// beginning when it returns. Its topic.prefix is not that of another.
	Start(t testing.TB, name string, config map[string]string)
	// Sent are the records of a topic so far.
	Sent(t testing.TB, topic string) []Record
	// Stop ends a connector and returns all that it sent.
	Stop(t testing.TB, name string) Topics
}
