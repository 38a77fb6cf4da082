package keylog

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetKey names what a group commits.
type OffsetKey struct {
	Group, Topic string
	Partition    int32
}

// OffsetValue is one committed offset. Committed and Expires are milliseconds
// since 1970; Expires is -1 unless the client asked for a time of its own.
type OffsetValue struct {
	Offset      int64
	LeaderEpoch int32 // -1 where the client did not say
	Metadata    string
	Committed   int64
	Expires     int64
}

// PendingKey names an offset of a transaction that has not ended.
type PendingKey struct {
	ProducerID int64
	OffsetKey
}

// PendingValue is an offset that counts once its transaction commits.
type PendingValue struct {
	ProducerEpoch int16
	OffsetValue
}

// GroupLog receives the entries of the groups' log in order. A nil value is a
// tombstone.
type GroupLog interface {
	Group(id string, value *kmsg.GroupMetadataValue)
	Offset(key OffsetKey, value *OffsetValue)
	Pending(key PendingKey, value *PendingValue)
}

// Offset encodes a committed offset; a nil value deletes it.
func Offset(key OffsetKey, value *OffsetValue) Record {
	k := kmsg.OffsetCommitKey{Version: 1, Group: key.Group, Topic: key.Topic, Partition: key.Partition}
	r := Record{Key: k.AppendTo(nil)}
	if value != nil {
		r.Value = appendOffset(nil, value)
	}
	return r
}

// Pending encodes an offset within a transaction; a nil value deletes it.
func Pending(key PendingKey, value *PendingValue) Record {
	b := binary.BigEndian.AppendUint16(nil, keyPending)
	b = binary.BigEndian.AppendUint64(b, uint64(key.ProducerID))
	k := kmsg.OffsetCommitKey{Version: 1, Group: key.Group, Topic: key.Topic, Partition: key.Partition}
	r := Record{Key: k.AppendTo(b)}
	if value != nil {
		r.Value = binary.BigEndian.AppendUint16(make([]byte, 2), uint16(value.ProducerEpoch))
		r.Value = appendOffset(r.Value, &value.OffsetValue)
	}
	return r
}

// Group encodes the metadata of a group; a nil value deletes it. It sets the
// value's version.
func Group(id string, value *kmsg.GroupMetadataValue) Record {
	k := kmsg.GroupMetadataKey{Version: 2, Group: id}
	r := Record{Key: k.AppendTo(nil)}
	if value != nil {
		value.Version = 3
		r.Value = value.AppendTo(nil)
	}
	return r
}

// appendOffset writes version 3, or 1 where the offset has its own expiry:
// later versions cannot say that.
func appendOffset(b []byte, o *OffsetValue) []byte {
	v := kmsg.OffsetCommitValue{
		Version: 3, Offset: o.Offset, LeaderEpoch: o.LeaderEpoch, Metadata: o.Metadata,
		CommitTimestamp: o.Committed, ExpireTimestamp: o.Expires,
	}
	if o.Expires >= 0 {
		v.Version = 1
	}
	return v.AppendTo(b)
}

// ReadGroup hands one record of the groups' log to its method of to.
func ReadGroup(r Record, to GroupLog) error {
	v, err := version(r.Key)
	if err != nil {
		return fmt.Errorf("groups log: key: %w", err)
	}
	switch v {
	case 0, 1:
		err = readOffset(r, to)
	case 2:
		err = readGroup(r, to)
	case keyPending:
		err = readPending(r, to)
	default:
		err = ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("groups log: key of version %d: %w", v, err)
	}
	return nil
}

func readOffset(r Record, to GroupLog) error {
	key, err := offsetKey(r.Key)
	if err != nil {
		return err
	}
	if r.Value == nil {
		to.Offset(key, nil)
		return nil
	}
	value, err := offsetValue(r.Value)
	if err != nil {
		return fmt.Errorf("offset of %+v: %w", key, err)
	}
	to.Offset(key, &value)
	return nil
}

func readGroup(r Record, to GroupLog) error {
	var key kmsg.GroupMetadataKey
	if err := key.ReadFrom(r.Key); err != nil {
		return err
	}
	if r.Value == nil {
		to.Group(key.Group, nil)
		return nil
	}
	if err := versionUpTo(r.Value, 4); err != nil {
		return fmt.Errorf("group %q: %w", key.Group, err)
	}
	value := new(kmsg.GroupMetadataValue)
	if err := value.ReadFrom(r.Value); err != nil {
		return fmt.Errorf("group %q: %w", key.Group, err)
	}
	to.Group(key.Group, value)
	return nil
}

func readPending(r Record, to GroupLog) error {
	if len(r.Key) < 10 {
		return fmt.Errorf("%d bytes are too short", len(r.Key))
	}
	offset, err := offsetKey(r.Key[10:])
	if err != nil {
		return err
	}
	key := PendingKey{ProducerID: int64(binary.BigEndian.Uint64(r.Key[2:])), OffsetKey: offset}
	if r.Value == nil {
		to.Pending(key, nil)
		return nil
	}
	if err := versionUpTo(r.Value, 0); err != nil {
		return fmt.Errorf("pending offset of %+v: %w", key, err)
	}
	if len(r.Value) < 4 {
		return fmt.Errorf("pending offset of %+v: %d bytes are too short", key, len(r.Value))
	}
	value, err := offsetValue(r.Value[4:])
	if err != nil {
		return fmt.Errorf("pending offset of %+v: %w", key, err)
	}
	epoch := int16(binary.BigEndian.Uint16(r.Value[2:]))
	to.Pending(key, &PendingValue{ProducerEpoch: epoch, OffsetValue: value})
	return nil
}

func offsetKey(b []byte) (OffsetKey, error) {
	var k kmsg.OffsetCommitKey
	err := k.ReadFrom(b)
	return OffsetKey{Group: k.Group, Topic: k.Topic, Partition: k.Partition}, err
}

func offsetValue(b []byte) (OffsetValue, error) {
	if err := versionUpTo(b, 4); err != nil {
		return OffsetValue{}, err
	}
	var v kmsg.OffsetCommitValue
	if err := v.ReadFrom(b); err != nil {
		return OffsetValue{}, err
	}
	o := OffsetValue{Offset: v.Offset, LeaderEpoch: -1, Metadata: v.Metadata, Committed: v.CommitTimestamp, Expires: -1}
	if v.Version >= 3 {
		o.LeaderEpoch = v.LeaderEpoch
	}
	if v.Version == 1 {
		o.Expires = v.ExpireTimestamp
	}
	return o, nil
}

func versionUpTo(b []byte, highest int16) error {
	v, err := version(b)
	if err == nil && (v < 0 || v > highest) {
		err = fmt.Errorf("value: %w %d", ErrUnknown, v)
	}
	return err
}
