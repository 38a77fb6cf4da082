package batch

import (
	"encoding/binary"
	"fmt"
)

// Marker ends a producer's transaction in one partition.
type Marker struct {
	Commit           bool
	ProducerID       int64
	ProducerEpoch    int16
	CoordinatorEpoch int32
}

// Types in a control record's key, which is version (int16), type (int16); the value
// is version (int16), coordinator epoch (int32). See Kafka's EndTransactionMarker.
const (
	controlAbort  = 0
	controlCommit = 1
)

// Batch makes the control batch, with the time now in milliseconds.
func (m Marker) Batch(now int64) []byte {
	kind := uint16(controlAbort)
	if m.Commit {
		kind = controlCommit
	}
	key := binary.BigEndian.AppendUint16([]byte{0, 0}, kind)
	value := binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(m.CoordinatorEpoch))
	h := Header{
		Attributes: attrTransactional | attrControl,
		ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, BaseSequence: noSequence,
	}
	return Build(h, Record{Timestamp: now, Key: key, Value: value})
}

// ReadMarker returns the marker in a control batch. ok is false where it has none that
// ends a transaction: another type, or one that compaction has emptied.
func ReadMarker(b []byte) (m Marker, ok bool, err error) {
	h, err := Parse(b)
	if err != nil || !h.Control() || h.Count == 0 {
		return Marker{}, false, err
	}
	it, err := Records(b, len(b))
	if err != nil {
		return Marker{}, false, err
	}
	r, ok := it.Next()
	if !ok {
		return Marker{}, false, it.Err()
	}
	if len(r.Key) < 4 {
		return Marker{}, false, fmt.Errorf("%w: control key of %d bytes", ErrCorrupt, len(r.Key))
	}
	kind := binary.BigEndian.Uint16(r.Key[2:])
	if kind != controlAbort && kind != controlCommit {
		return Marker{}, false, nil
	}
	if len(r.Value) < 6 {
		return Marker{}, false, fmt.Errorf("%w: control value of %d bytes", ErrCorrupt, len(r.Value))
	}
	return Marker{
		Commit: kind == controlCommit, ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch,
		CoordinatorEpoch: int32(binary.BigEndian.Uint32(r.Value[2:])),
	}, true, nil
}
