package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// Offsets of a connector: a source's own, or a sink's consumer group's; ErrNotFound.
func (w *Worker) Offsets(ctx context.Context, name string) ([]SourceOffset, error) {
	e, ok := w.board.get(name)
	if !ok {
		return nil, notFound(name)
	}
	if w.kinds.connectors[e.props["connector.class"]].sink == nil {
		return w.offsets.of(ctx, name)
	}
	fetched, err := w.admin.FetchOffsets(ctx, w.sinkGroup(name, e.props))
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("%w: read the offsets of the sink's group: %w", ErrUnready, err)
	}
	out := []SourceOffset{}
	for _, o := range fetched.Sorted() {
		partition, _ := json.Marshal(sinkPartition{w.cfg.Kafka.Local(o.Topic), o.Partition})
		offset, _ := json.Marshal(sinkOffset{o.At})
		out = append(out, SourceOffset{partition, offset})
	}
	return out, nil
}

type sinkPartition struct {
	Topic     string `json:"kafka_topic"`
	Partition int32  `json:"kafka_partition"`
}

type sinkOffset struct {
	Offset int64 `json:"kafka_offset"`
}

// stopped finds a connector that is stopped.
func (w *Worker) stopped(name string) (entry, error) {
	e, there := w.board.get(name)
	if !there {
		return e, notFound(name)
	}
	if e.target != Stopped {
		return e, problem{ErrInvalid, "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/" + name + "/stop' endpoint"}
	}
	return e, nil
}

// AlterOffsets sets where a stopped connector goes on; a null offset removes one. The source says
// whether it could start there.
func (w *Worker) AlterOffsets(ctx context.Context, name string, changes []SourceOffset) (string, error) {
	err := w.change(ctx, func(ctx context.Context) ([]*kgo.Record, error) {
		e, err := w.stopped(name)
		if err != nil {
			return nil, err
		}
		if len(changes) == 0 {
			return nil, problem{ErrInvalid, "Partitions / offsets need to be provided for an alter offsets request"}
		}
		k := w.kinds.connectors[e.props["connector.class"]]
		switch {
		case k.sink != nil:
			return nil, w.alterSink(ctx, w.sinkGroup(name, e.props), changes)
		case k.source != nil:
			return w.alterSource(ctx, name, k.source, changes)
		}
		return nil, problem{ErrInvalid, "no plugin has the class " + e.props["connector.class"]}
	})
	return "The offsets for this connector have been altered successfully", err
}

func (w *Worker) alterSource(ctx context.Context, name string, source plugin.Source, changes []SourceOffset) ([]*kgo.Record, error) {
	var records []*kgo.Record
	for _, c := range changes {
		partition, err := readJSON(c.Partition)
		if err != nil || partition == nil {
			return nil, problem{ErrInvalid, fmt.Sprintf("The partition %s is no JSON object", c.Partition)}
		}
		var offset map[string]any
		if text := string(c.Offset); text != "null" && text != "" {
			if offset, err = readJSON(c.Offset); err != nil {
				return nil, problem{ErrInvalid, fmt.Sprintf("The offset %s is no JSON object", c.Offset)}
			}
			if err := source.CheckOffset(partition, offset); err != nil {
				return nil, problem{ErrInvalid, err.Error()}
			}
		}
		r, err := w.offsetRecord(name, partition, offset)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, w.fenceTask(ctx, name)
}

// fenceTask stops a worker that still runs the connector's first task from storing offsets.
func (w *Worker) fenceTask(ctx context.Context, name string) error {
	client, err := w.fence(ctx, w.transactionalID(unitID{name, 0}))
	if err != nil {
		return err
	}
	client.Close()
	return nil
}

func (w *Worker) alterSink(ctx context.Context, group string, changes []SourceOffset) error {
	var set kadm.Offsets
	var remove kadm.TopicsSet
	for _, c := range changes {
		var p sinkPartition
		if err := json.Unmarshal(c.Partition, &p); err != nil || p.Topic == "" {
			return problem{ErrInvalid, "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"}
		}
		topic := w.cfg.Kafka.Topic(p.Topic)
		if text := string(c.Offset); text == "null" || text == "" {
			remove.Add(topic, p.Partition)
			continue
		}
		o := sinkOffset{-1}
		if err := json.Unmarshal(c.Offset, &o); err != nil || o.Offset < 0 {
			return problem{ErrInvalid, "The offset for a sink connector should either be null or contain the key 'kafka_offset'"}
		}
		set.AddOffset(topic, p.Partition, o.Offset, -1)
	}
	if set != nil {
		if err := w.idle(ctx, group, func() error { return w.admin.CommitAllOffsets(ctx, group, set) }); err != nil {
			return err
		}
	}
	if remove != nil {
		return w.idle(ctx, group, func() error { _, err := w.admin.DeleteOffsets(ctx, group, remove); return err })
	}
	return nil
}

// idle tries for a while: tasks that were stopped just now are leaving the group.
func (w *Worker) idle(ctx context.Context, group string, do func() error) error {
	deadline := time.Now().Add(leaveTimeout)
	for {
		err := do()
		switch {
		case err == nil, errors.Is(err, kerr.GroupIDNotFound):
			return nil
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			return problem{ErrInvalid, "there is no such topic or partition: the offsets are not changed"}
		case time.Now().After(deadline) || ctx.Err() != nil:
			return problem{ErrUnready, fmt.Sprintf("the offsets of group %s cannot be changed: %v; if tasks are still stopping, try again", group, err)}
		}
		select {
		case <-time.After(firstPause):
		case <-ctx.Done():
		}
	}
}

// ResetOffsets forgets where a stopped connector left off: it begins anew.
func (w *Worker) ResetOffsets(ctx context.Context, name string) (string, error) {
	err := w.change(ctx, func(ctx context.Context) ([]*kgo.Record, error) {
		e, err := w.stopped(name)
		if err != nil {
			return nil, err
		}
		if w.kinds.connectors[e.props["connector.class"]].sink != nil {
			group := w.sinkGroup(name, e.props)
			return nil, w.idle(ctx, group, func() error { _, err := w.admin.DeleteGroup(ctx, group); return err })
		}
		if err := w.fenceTask(ctx, name); err != nil { // before looking at what is stored
			return nil, err
		}
		return w.removals(ctx, name)
	})
	return "The offsets for this connector have been reset successfully", err
}

// removals of all that is stored of a source.
func (w *Worker) removals(ctx context.Context, name string) ([]*kgo.Record, error) {
	all, err := w.offsets.of(ctx, name)
	if err != nil {
		return nil, err
	}
	var records []*kgo.Record
	for _, o := range all {
		partition, err := readJSON(o.Partition)
		if err != nil {
			return nil, err
		}
		r, err := w.offsetRecord(name, partition, nil)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}
