package keylog

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TxnLog receives the entries of the transactions' log in order. A nil value
// is a tombstone.
type TxnLog interface {
	Txn(id string, value *kmsg.TxnMetadataValue)
	// ProducerIDs says that ids below next may have been given out.
	ProducerIDs(next int64)
}

// Txn encodes the state of a transactional id; a nil value deletes it. It sets
// the value's version.
func Txn(id string, value *kmsg.TxnMetadataValue) Record {
	k := kmsg.TxnMetadataKey{TransactionalID: id}
	r := Record{Key: k.AppendTo(nil)}
	if value != nil {
		value.Version = 1
		r.Value = value.AppendTo(nil)
	}
	return r
}

// ProducerIDs encodes that all producer ids below next may have been given out.
func ProducerIDs(next int64) Record {
	return Record{
		Key:   binary.BigEndian.AppendUint16(nil, keyProducerIDs),
		Value: binary.BigEndian.AppendUint64(make([]byte, 2), uint64(next)),
	}
}

// ReadTxn hands one record of the transactions' log to its method of to.
func ReadTxn(r Record, to TxnLog) error {
	v, err := version(r.Key)
	if err != nil {
		return fmt.Errorf("transactions log: key: %w", err)
	}
	switch v {
	case 0:
		err = readTxn(r, to)
	case keyProducerIDs:
		err = readProducerIDs(r, to)
	default:
		err = ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("transactions log: key of version %d: %w", v, err)
	}
	return nil
}

func readTxn(r Record, to TxnLog) error {
	var key kmsg.TxnMetadataKey
	if err := key.ReadFrom(r.Key); err != nil {
		return err
	}
	if r.Value == nil {
		to.Txn(key.TransactionalID, nil)
		return nil
	}
	if err := versionUpTo(r.Value, 1); err != nil {
		return fmt.Errorf("transactional id %q: %w", key.TransactionalID, err)
	}
	value := new(kmsg.TxnMetadataValue)
	if err := value.ReadFrom(r.Value); err != nil {
		return fmt.Errorf("transactional id %q: %w", key.TransactionalID, err)
	}
	to.Txn(key.TransactionalID, value)
	return nil
}

func readProducerIDs(r Record, to TxnLog) error {
	if r.Value == nil {
		return nil
	}
	if err := versionUpTo(r.Value, 0); err != nil {
		return err
	}
	if len(r.Value) != 10 {
		return fmt.Errorf("producer ids: %d bytes where 10 belong", len(r.Value))
	}
	to.ProducerIDs(int64(binary.BigEndian.Uint64(r.Value[2:])))
	return nil
}
