package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrUnreachable is returned where no broker answers as a Kafka broker.
var ErrUnreachable = errors.New("Kafka is unreachable")

// ClusterID asks the cluster for its id. Its error wraps ErrUnreachable and
// names the brokers; ctx bounds the wait.
func ClusterID(ctx context.Context, client *kgo.Client, c Config) (string, error) {
	meta, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		return "", fmt.Errorf("%w at %s: %w", ErrUnreachable, strings.Join(c.Brokers, ","), err)
	}
	return meta.Cluster, nil
}
