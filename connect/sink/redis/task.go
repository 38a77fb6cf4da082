package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/connect/plugin"
)

type task struct {
	*settings
	client *goredis.Client
}

// putTimeout bounds one batch: less than a consumer may take before its partitions go to others.
const putTimeout = 45 * time.Second

// Put implements plugin.SinkTask.
func (t *task) Put(ctx context.Context, records []plugin.SinkRecord) error {
	var all [][]any
	var of []int // the record of each command
	var refusal error
	for i := range records {
		commands, err := t.commands(&records[i])
		if err != nil {
			refusal = &plugin.RecordError{Index: i, Err: fmt.Errorf("redis: %w", err)}
			break
		}
		for _, one := range commands {
			all, of = append(all, one), append(of, i)
		}
	}
	if err := t.run(ctx, all, of); err != nil {
		return err
	}
	return refusal
}

// run commands in one exchange.
func (t *task) run(ctx context.Context, all [][]any, of []int) error {
	if len(all) == 0 {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	pipe := t.client.Pipeline()
	if t.multi {
		pipe = t.client.TxPipeline()
	}
	answers := make([]*goredis.Cmd, len(all))
	for i, one := range all {
		answers[i] = pipe.Do(bounded, one...)
	}
	var waited *goredis.Cmd
	if t.replicas > 0 && !t.multi {
		waited = pipe.Do(bounded, "WAIT", t.replicas, t.wait.Milliseconds())
	}
	_, err := pipe.Exec(bounded)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return t.failure(err, answers, of)
	}
	if t.replicas > 0 && t.multi { // a transaction does not wait: ask behind it, on the same connection
		waited = t.client.Do(bounded, "WAIT", t.replicas, t.wait.Milliseconds())
	}
	return t.enough(waited)
}

// failure of a batch is that of its first command that failed.
func (t *task) failure(err error, answers []*goredis.Cmd, of []int) error {
	for i, answer := range answers {
		failed := answer.Err()
		if failed == nil {
			continue
		}
		if refusable(failed) {
			return &plugin.RecordError{Index: of[i], Err: fmt.Errorf("redis: %s: %w", t.command, failed)}
		}
		err = failed
		break
	}
	if mayPass(err) {
		return fmt.Errorf("redis: %w: %w", plugin.ErrRetry, err)
	}
	return fmt.Errorf("redis: %s: %w", t.command, err)
}

func (t *task) enough(waited *goredis.Cmd) error {
	if waited == nil {
		return nil
	}
	n, err := waited.Int()
	switch {
	case err != nil:
		return t.failure(err, nil, nil)
	case n < t.replicas:
		return fmt.Errorf("redis: %w: %d of %d replicas had the batch in %s", plugin.ErrRetry, n, t.replicas, t.wait)
	}
	return nil
}

// refusable errors are about the record: its key is of another type in Redis, or its score is no
// number.
func refusable(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "WRONGTYPE") || strings.Contains(text, "not a valid float") || strings.HasPrefix(text, "ERR string exceeds") ||
		strings.Contains(text, "Existing key has wrong Redis type")
}

// passing are the words with which errors begin that pass by themselves.
var passing = []string{"LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "NOREPLICAS", "OOM", "MISCONF", "UNBLOCKED", "ERR max number of clients"}

// mayPass says that Redis is away, or busy, or has no room: what is no answer of Redis is about the
// connection.
func mayPass(err error) bool {
	var answer goredis.Error
	if !errors.As(err, &answer) {
		return true
	}
	return slices.ContainsFunc(passing, func(word string) bool { return strings.HasPrefix(answer.Error(), word) })
}

// Close implements plugin.SinkTask.
func (t *task) Close(context.Context) error { return t.client.Close() }
