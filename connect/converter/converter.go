// Package converter writes keys and values of records as bytes and reads them, as Kafka
// Connect's converters do.
package converter

import (
	"errors"

	"github.com/pabal-dev/pabal/connect/data"
)

// ErrRetry is wrapped by errors that may pass by themselves, such as a registry of schemas that is
// away. No record is left out for them.
var ErrRetry = errors.New("it may pass by itself")

// Converter is safe for use by many goroutines. One that is an io.Closer, too, is closed when its task is
// to end, also while it is used: what waits then returns an error that wraps ErrRetry.
type Converter interface {
	// Encode a value of the topic. No schema and no value is no bytes, a tombstone.
	Encode(topic string, s *data.Schema, value any) ([]byte, error)
	// Decode reads what Encode writes; nil is no value.
	Decode(topic string, b []byte) (*data.Schema, any, error)
}

// Appender is a Converter that writes into memory of its caller, who can then have that of many
// records in one piece, and use it again.
type Appender interface {
	Converter
	// AppendEncode writes what Encode does behind b. A tombstone adds nothing: it is for Encode to
	// tell from an empty value. After an error what it returned is of no use, and b is as it was.
	AppendEncode(b []byte, topic string, s *data.Schema, value any) ([]byte, error)
}
