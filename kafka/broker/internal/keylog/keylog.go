// Package keylog encodes what the coordinators remember as keys and values of
// two compacted logs, with Kafka's own schemas of __consumer_offsets and
// __transaction_state wherever Kafka has one, so that its tools can read them.
//
// What Kafka has no key for, because it keeps it in control batches or in the
// controller, has keys of a version that Kafka never gives: tools skip them.
// With these every fact is the last value of one key, so any compaction that
// keeps the last value of each key, in order, keeps the whole state.
package keylog

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Record is one key with its value; a nil Value is a tombstone.
type Record struct {
	Key, Value []byte
}

// ErrUnknown is a key or value whose version this program does not know.
var ErrUnknown = errors.New("unknown version")

// MaxString is the length in bytes of the longest string that the schemas can
// hold. The encoders cut nothing: callers refuse what is longer.
const MaxString = 1<<15 - 1

// Versions of the keys that only this broker writes; Kafka
// counts its versions up from 0.
const (
	keyPending     = 0x7001
	keyProducerIDs = 0x7002
	keyACL         = 0x7003
	keySCRAM       = 0x7004
)

// version reads the version in front of every key and value.
func version(b []byte) (int16, error) {
	if len(b) < 2 {
		return 0, fmt.Errorf("%d bytes are too short for a version", len(b))
	}
	return int16(binary.BigEndian.Uint16(b)), nil
}

// Compact keeps the last record of each key, in order. Tombstones stay unless
// drop is set; they may be dropped only if the log holds nothing before records.
func Compact(records []Record, drop bool) []Record {
	last := make(map[string]int, len(records))
	for i, r := range records {
		last[string(r.Key)] = i
	}
	kept := make([]Record, 0, len(last))
	for i, r := range records {
		if last[string(r.Key)] == i && (r.Value != nil || !drop) {
			kept = append(kept, r)
		}
	}
	return kept
}
