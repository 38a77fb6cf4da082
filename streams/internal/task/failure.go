package task

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// HeaderNode of a dead letter names where it happened. The others are inbox's.
const HeaderNode = "pabal-node"

// maxReason bounds the error in a dead letter's header, in bytes.
const maxReason = 4096

// decide asks Config.Fail: nil goes on, else f stops the task.
func (t *Task) decide(f *plan.Failure) error {
	verdict := plan.Stop
	if t.cfg.Fail != nil {
		err := t.protect(func() error { verdict = t.cfg.Fail(f); return nil })
		if err != nil {
			f.Err = errors.Join(f.Err, fmt.Errorf("and the handler of failures: %w", err))
			return f
		}
	}
	switch {
	case verdict == plan.Skip:
		t.counts.skipped++
		return nil
	case verdict == plan.DeadLetter && f.Record == nil && f.Produced == nil:
		t.counts.skipped++ // there is nothing to send
		return nil
	case verdict == plan.DeadLetter && t.cfg.DeadLetters != "":
		t.counts.deadLetters++
		t.touched = true
		t.cfg.Producer(t.deadLetter(f))
		return nil
	}
	return f
}

// FailedProducing decides about a record that the broker did not take: nil goes on without
// it.
func (t *Task) FailedProducing(rec *kgo.Record, err error) error {
	f := &plan.Failure{Stage: "produce", Node: t.producerOf(rec.Topic), Task: t.cfg.ID, Produced: rec, Err: err}
	if t.logs[rec.Topic] != nil || rec.Topic == t.cfg.DeadLetters {
		return f // neither may lack a record
	}
	return t.decide(f)
}

// producerOf finds the sinks that write to a topic.
func (t *Task) producerOf(topic string) string {
	if s := t.logs[topic]; s != nil {
		return s.plan.Name
	}
	var names, dynamic []string
	for _, n := range t.cfg.Sub.Nodes {
		if n.Kind != plan.SinkNode {
			continue
		}
		if len(n.Topics) == 0 {
			dynamic = append(dynamic, n.Name)
		}
		for _, to := range n.Topics {
			if t.cfg.Names.Topic(to) == topic {
				names = append(names, n.Name)
			}
		}
	}
	if len(names) == 0 {
		names = dynamic
	}
	return strings.Join(names, " or ")
}

// deadLetter has the bytes of the record that was read, or else of the one that was to be
// produced, and headers that say what happened.
func (t *Task) deadLetter(f *plan.Failure) *kgo.Record {
	from := f.Record
	if from == nil {
		from = f.Produced
	}
	reason := strings.ToValidUTF8(f.Err.Error(), "?")
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	r := &kgo.Record{Topic: t.cfg.DeadLetters, Partition: -1, Key: slices.Clone(from.Key), Value: slices.Clone(from.Value), Timestamp: from.Timestamp}
	for _, h := range from.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: slices.Clone(h.Value)})
	}
	header := func(name, value string) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	header(inbox.HeaderError, reason)
	header(inbox.HeaderConsumer, t.cfg.Names.Application)
	header(HeaderNode, f.Node)
	header(inbox.HeaderTopic, strings.TrimPrefix(from.Topic, t.cfg.Names.Prefix))
	if f.Record != nil {
		header(inbox.HeaderPartition, strconv.Itoa(int(from.Partition)))
		header(inbox.HeaderOffset, strconv.FormatInt(from.Offset, 10))
	}
	header(inbox.HeaderTime, time.UnixMilli(t.now).UTC().Format(time.RFC3339Nano))
	return r
}

// located makes a *plan.Failure of an error that is none: not of user code, but of a
// store, say, so that there is nothing to be decided.
func (t *Task) located(node string, err error) error {
	if isFailure(err) {
		return err
	}
	if node == "" {
		node = "the task"
	}
	return &plan.Failure{Stage: "process", Node: node, Task: t.cfg.ID, Record: t.record, Err: err}
}

func isFailure(err error) bool {
	var f *plan.Failure
	return errors.As(err, &f)
}

// panicked decides about a panic that no node recovered while a record was loaded or
// processed, and leaves the record out.
func (t *Task) panicked(recovered any) error {
	q := t.current
	err := panicError(recovered)
	if q == nil {
		return t.located("", err)
	}
	f := &plan.Failure{Stage: "process", Node: q.node, Task: t.cfg.ID, Record: q.front(), Err: err}
	if t.record == nil {
		f.Stage = "decode"
	}
	if err := t.decide(f); err != nil {
		return err
	}
	t.record, t.current = nil, nil
	t.leave(q)
	return nil
}

// protect makes an error of a panic.
func (t *Task) protect(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicError(r)
		}
	}()
	return f()
}

func panicError(recovered any) error {
	if err, ok := recovered.(error); ok {
		return fmt.Errorf("panic: %w\n%s", err, debug.Stack())
	}
	return fmt.Errorf("panic: %v\n%s", recovered, debug.Stack())
}
