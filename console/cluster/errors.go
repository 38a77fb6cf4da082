package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kerr"
)

var kinds = []error{
	api.ErrInvalid, api.ErrUnauthenticated, api.ErrForbidden, api.ErrNotFound,
	api.ErrConflict, api.ErrTooLarge, api.ErrUnavailable,
}

// explain is an error of Kafka as one of the API; what is what was tried.
func (c *Cluster) explain(what string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return err
		}
	}
	var refused *kerr.Error
	if errors.As(err, &refused) {
		return fmt.Errorf("%w: Kafka refused to %s: %s", kindOf(refused), what, reason(refused))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: Kafka at %s did not answer within %s (%s)",
			api.ErrUnavailable, strings.Join(c.kafka.Brokers, ","), c.config.Timeout, what)
	}
	return fmt.Errorf("%w: Kafka at %s (%s): %w", api.ErrUnavailable, strings.Join(c.kafka.Brokers, ","), what, err)
}

func reason(err *kerr.Error) string { return err.Description + " (" + err.Message + ")" }

func kindOf(err *kerr.Error) error {
	switch err {
	case kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.GroupIDNotFound:
		return api.ErrNotFound
	case kerr.InvalidTopicException, kerr.InvalidPartitions, kerr.InvalidReplicationFactor, kerr.InvalidConfig,
		kerr.InvalidRequest, kerr.PolicyViolation, kerr.InvalidReplicaAssignment, kerr.InvalidGroupID, kerr.InvalidRecord,
		kerr.InvalidTimestamp:
		return api.ErrInvalid
	case kerr.TopicAlreadyExists, kerr.NonEmptyGroup, kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.RebalanceInProgress,
		kerr.FencedMemberEpoch, kerr.StaleMemberEpoch:
		return api.ErrConflict
	case kerr.MessageTooLarge, kerr.RecordListTooLarge:
		return api.ErrTooLarge
	case kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed:
		return api.ErrForbidden
	}
	return api.ErrUnavailable
}

// ofService is an error of a service's own API as one of the console's.
func ofService(service string, err error) error {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return err
		}
	}
	for from, to := range map[error]error{
		admin.ErrNotFound: api.ErrNotFound, admin.ErrInvalid: api.ErrInvalid,
		admin.ErrConflict: api.ErrConflict, admin.ErrDenied: api.ErrForbidden,
	} {
		if errors.Is(err, from) {
			return fmt.Errorf("%w: service %s: %w", to, service, err)
		}
	}
	return fmt.Errorf("%w: service %s: %w", api.ErrUnavailable, service, err)
}

// problem is what a partition's error code means to people; "" for none.
func problem(code int16) string {
	err := kerr.ErrorForCode(code)
	var known *kerr.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, kerr.LeaderNotAvailable):
		return "no leader"
	case errors.Is(err, kerr.ReplicaNotAvailable):
		return "a replica is away"
	case errors.As(err, &known):
		return reason(known)
	}
	return err.Error()
}
