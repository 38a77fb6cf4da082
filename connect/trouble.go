package connect

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// retriable marks an error that passes by itself.
type retriable struct{ error }

func (r retriable) Unwrap() error { return r.error }

// fatalError marks one that does not, whatever is inside.
type fatalError struct{ error }

func (f fatalError) Unwrap() error { return f.error }

// isRetriable: sources and sinks say so, and so is what comes from Kafka, but for refusals.
func isRetriable(err error) bool {
	var r retriable
	if errors.As(err, &r) || errors.Is(err, plugin.ErrRetry) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnready) {
		return true
	}
	for _, e := range []error{kgo.ErrRecordTimeout, kgo.ErrRecordRetries, kgo.ErrClientClosed, kgo.ErrAborting,
		kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.InvalidProducerIDMapping, kerr.OutOfOrderSequenceNumber,
		kerr.UnknownProducerID, kerr.InvalidTxnState, kerr.TransactionAbortable, kerr.UnknownTopicOrPartition} {
		if errors.Is(err, e) {
			return true
		}
	}
	return kerr.IsRetriable(err)
}

// isFenced: another worker has the task, or had it in between.
func isFenced(err error) bool {
	return errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced)
}
