package connect

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/topiclog"
)

// offsetStore is what the topic of offsets says: where each partition of each source left off.
type offsetStore struct {
	log *topiclog.Log

	mu  sync.Mutex
	all map[string]map[string]json.RawMessage // by connector and partition
}

func openOffsets(ctx context.Context, cfg Config) (*offsetStore, error) {
	s := &offsetStore{all: map[string]map[string]json.RawMessage{}}
	var err error
	s.log, err = topiclog.Open(ctx, cfg.Kafka, cfg.topic(cfg.OffsetTopic, offsetPartitions), func(r *kgo.Record) {
		connector, partition, err := readOffsetKey(r.Key)
		if err != nil {
			cfg.Logger.Error("connect: a stored offset cannot be read and is left out", "offset", r.Offset, "error", err)
			return
		}
		s.set(connector, partition, r.Value)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *offsetStore) close() { s.log.Close() }

func (s *offsetStore) set(connector, partition string, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(value) == 0 || string(value) == "null" {
		delete(s.all[connector], partition)
		return
	}
	if s.all[connector] == nil {
		s.all[connector] = map[string]json.RawMessage{}
	}
	s.all[connector][partition] = slices.Clone(value)
}

// get reads what is committed by now.
func (s *offsetStore) get(ctx context.Context, connector string, partition map[string]any) (map[string]any, error) {
	key, err := json.Marshal(partition)
	if err != nil {
		return nil, err
	}
	if err := s.log.Sync(ctx); err != nil {
		return nil, retriable{fmt.Errorf("read the stored offset: %w", err)}
	}
	s.mu.Lock()
	value, ok := s.all[connector][string(key)]
	s.mu.Unlock()
	if !ok {
		return nil, nil
	}
	out, err := readJSON(value)
	if err != nil {
		return nil, fmt.Errorf("the stored offset of %s is no JSON object: %w", key, err)
	}
	return out, nil
}

// of a connector, sorted by partition.
func (s *offsetStore) of(ctx context.Context, connector string) ([]SourceOffset, error) {
	if err := s.log.Sync(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnready, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []SourceOffset{}
	for _, key := range slices.Sorted(maps.Keys(s.all[connector])) {
		out = append(out, SourceOffset{json.RawMessage(key), s.all[connector][key]})
	}
	return out, nil
}

// SourceOffset is where a source left off.
type SourceOffset struct {
	Partition json.RawMessage `json:"partition"`
	Offset    json.RawMessage `json:"offset"`
}

// offsetRecord is what stores an offset; a nil one removes it.
func (w *Worker) offsetRecord(connector string, partition, offset map[string]any) (*kgo.Record, error) {
	key, err := json.Marshal([]any{connector, partition})
	if err != nil {
		return nil, fmt.Errorf("the source's partition: %w", err)
	}
	var value []byte
	if offset != nil {
		if value, err = json.Marshal(offset); err != nil {
			return nil, fmt.Errorf("the source's offset: %w", err)
		}
	}
	return &kgo.Record{Topic: w.offsets.log.Topic(), Partition: plugin.NoPartition, Key: key, Value: value}, nil
}

// readOffsetKey reads ["connector",{partition}]. The partition's keys are sorted, so that whoever
// wrote it, it is the same.
func readOffsetKey(b []byte) (connector, partition string, err error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return "", "", fmt.Errorf("key %q: %w", b, err)
	}
	if len(parts) != 2 {
		return "", "", fmt.Errorf("key %q is not [connector, partition]", b)
	}
	if err := json.Unmarshal(parts[0], &connector); err != nil {
		return "", "", fmt.Errorf("key %q: %w", b, err)
	}
	m, err := readJSON(parts[1])
	if err != nil {
		return "", "", fmt.Errorf("key %q: %w", b, err)
	}
	text, err := json.Marshal(m)
	return connector, string(text), err
}
