package state

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// decodes says why a source's record cannot be decoded, as the source node would find.
func (f *formats[K, V]) decodes(p *plan.Store, rec *kgo.Record) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	known := f.resolved.Load()
	if known == nil {
		if known, err = f.of(plan.StoreContext{Store: p, ChangelogTopic: rec.Topic}); err != nil {
			return err
		}
	}
	if rec.Timestamp.UnixMilli() < 0 {
		return fmt.Errorf("its time is %d", rec.Timestamp.UnixMilli())
	}
	if rec.Key != nil {
		if _, err := known.keys.Decode(rec.Key); err != nil {
			return fmt.Errorf("decode the key: %w", err)
		}
	}
	if rec.Value != nil {
		if _, err := known.values.Decode(rec.Value); err != nil {
			return fmt.Errorf("decode the value: %w", err)
		}
	}
	return nil
}

// restoreError names store, record and key.
func restoreError(p *plan.Store, rec *kgo.Record, what string) error {
	return fmt.Errorf("store %s: restore %s/%d at offset %d, key %x: %s",
		p.Name, rec.Topic, rec.Partition, rec.Offset, rec.Key, what)
}
