// Package converter writes keys and values of records as bytes and reads them, as Kafka
// Connect's converters do.
package converter

import "github.com/pabal-dev/pabal/connect/data"

// Converter is safe for use by many goroutines.
type Converter interface {
	// Encode a value of the topic. No schema and no value is no bytes, a tombstone.
	Encode(topic string, s *data.Schema, value any) ([]byte, error)
	// Decode reads what Encode writes; nil is no value.
	Decode(topic string, b []byte) (*data.Schema, any, error)
}
