package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Commit commits the open transaction of a client, after Flush. acknowledged is any record that Kafka
// took in it; nil where none did. After an error nobody knows whether the transaction is committed.
//
// It is to be used instead of the client's EndTransaction(ctx, kgo.TryCommit): up to franz-go 1.22 that
// looks for what was produced in a list that a topic enters only after its first records were sent. Where
// these are acknowledged earlier, and are all that the transaction has, it is aborted, and the answer is
// that it is committed.
func Commit(ctx context.Context, client *kgo.Client, acknowledged *kgo.Record) error {
	for acknowledged != nil && !lists(client, acknowledged) {
		select {
		case <-time.After(time.Millisecond): // another goroutine is about to enter it
		case <-ctx.Done():
			return fmt.Errorf("the client does not list topic %s, to which it produced: %w", acknowledged.Topic, ctx.Err())
		}
	}
	return client.EndTransaction(ctx, kgo.TryCommit)
}

func lists(client *kgo.Client, r *kgo.Record) bool {
	leader, _, _ := client.PartitionLeader(r.Topic, r.Partition)
	return leader >= 0
}
