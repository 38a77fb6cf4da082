package outbox

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
)

// refusal is what an error of Kafka says about a record.
type refusal int

const (
	// noAnswer is everything else: the broker is away, the relay fenced, the
	// transaction's end unknown. It says nothing about any record.
	noAnswer refusal = iota
	// ofRecord: this record, or another in its record batch, cannot be taken.
	ofRecord
	// ofTopic: no record of this topic can be taken.
	ofTopic
)

var recordErrors = []error{
	kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.CorruptMessage,
}

var topicErrors = []error{
	kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.TopicAuthorizationFailed, kerr.InvalidTopicException,
	kerr.UnsupportedForMessageFormat, kerr.UnsupportedCompressionType, kerr.PolicyViolation,
}

func refusalOf(err error) refusal {
	switch {
	case isAny(err, recordErrors):
		return ofRecord
	case isAny(err, topicErrors):
		return ofTopic
	}
	return noAnswer
}

func isAny(err error, kinds []error) bool {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
