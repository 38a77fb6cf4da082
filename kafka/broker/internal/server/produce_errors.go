package server

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// withReason is an error of Kafka's with words of ours.
func withReason(err *kerr.Error, reason string) error { return fmt.Errorf("%w: %s", err, reason) }

// tell answers a part with an error, and names the record that is to blame.
func (p *part) tell(err error) {
	k, expected := appendError(err)
	if !expected {
		p.server.complain(occasion{"records were not appended", p.name, p.answer.Partition}, "error", err)
	}
	p.answer.ErrorCode = k.Code
	message := err.Error()
	p.answer.ErrorMessage = &message
	var of *batch.RecordError
	if errors.As(err, &of) {
		record := kmsg.NewProduceResponseTopicPartitionErrorRecord()
		record.RelativeOffset, record.ErrorMessage = of.Index, &message
		p.answer.ErrorRecords = append(p.answer.ErrorRecords, record)
	}
}

// appendError is Kafka's error for why records were not appended. One that is not expected
// comes from the disk, such as a full one: it is to be tried again.
func appendError(err error) (k *kerr.Error, expected bool) {
	if errors.As(err, &k) {
		return k, true
	}
	for _, e := range appendErrors {
		if errors.Is(err, e.is) {
			return e.code, true
		}
	}
	return kerr.KafkaStorageError, false
}

var appendErrors = []struct {
	is   error
	code *kerr.Error
}{
	{batch.ErrTooLarge, kerr.MessageTooLarge},
	{batch.ErrTimestamp, kerr.InvalidTimestamp},
	{batch.ErrInvalid, kerr.InvalidRecord},
	{batch.ErrMagic, kerr.InvalidRecord},
	{batch.ErrShort, kerr.CorruptMessage},
	{batch.ErrCorrupt, kerr.CorruptMessage},
	{producer.ErrOutOfOrderSequence, kerr.OutOfOrderSequenceNumber},
	{producer.ErrInvalidEpoch, kerr.InvalidProducerEpoch},
	{producer.ErrInvalidTxnState, kerr.InvalidTxnState},
	{log.ErrFailed, kerr.KafkaStorageError},
	{log.ErrClosed, kerr.NotLeaderForPartition},
	{node.ErrFailed, kerr.KafkaStorageError},
}

// abortableSince is the version of Produce whose clients know TRANSACTION_ABORTABLE.
const abortableSince = 11

// forProducers translates what the coordinator of transactions says: older producers
// end where they see some of it, and not where they see something to be tried again.
func forProducers(err *kerr.Error, version int16) *kerr.Error {
	switch err {
	case kerr.TransactionAbortable:
		if version < abortableSince {
			return kerr.InvalidTxnState
		}
	case kerr.ConcurrentTransactions:
		if version < addsPartitions {
			return kerr.NotEnoughReplicas
		}
	case kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator:
		return kerr.NotEnoughReplicas
	case kerr.ProducerFenced:
		return kerr.InvalidProducerEpoch
	}
	return err
}
