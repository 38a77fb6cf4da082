package state

import (
	"fmt"
	"iter"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// timedFormat is how the entries of a store with times are read.
type timedFormat[K, T any] struct {
	store     string
	keys      serde.Serde[K]
	values    codec[T]
	lay       timedLayout
	retention int64
}

// entry decodes what a scan yields.
func (f timedFormat[K, T]) entry(e timedEntry) (v timedValue[K, T], err error) {
	v.a, v.b = e.a, e.b
	if v.key, err = f.keys.Decode(e.key); err != nil {
		return v, fmt.Errorf("store %s: decode the key %x: %w", f.store, e.key, err)
	}
	if v.value, err = f.values.decode(e.value); err != nil {
		return v, fmt.Errorf("store %s: decode %s: %w", f.store, f.lay.show(string(e.key), e.a, e.b), err)
	}
	return v, nil
}

// timedParts is what differs between stores with times.
type timedParts[K, V, T any] struct {
	keys      serde.Serde[K]
	values    serde.Serde[V]
	lay       timedLayout
	retention int64
	codec     func(serde.Serde[V]) codec[T]
	store     func(*timed[K, T]) (plan.StateStore, error)
	view      func(timedView[K, T]) any
	// place sets window or time of an entry, for people.
	place func(r *plan.RenderedEntry, a, b int64)
}

// defineTimed fills in how a store with times is made, viewed and restored.
func defineTimed[K, V, T any](p *plan.Store, d timedParts[K, V, T]) {
	f := &formats[K, V]{keys: d.keys, values: d.values}
	layout := func(keys serde.Serde[K]) timedLayout {
		l := d.lay
		l.key = func(key []byte) string { return showKey(keys, key) }
		return l
	}
	view := func(r local.Reader) timedView[K, T] {
		k := f.known()
		return timedView[K, T]{timedFormat[K, T]{p.Name, k.keys, d.codec(k.values), layout(k.keys), d.retention}, r}
	}
	p.New = func(c plan.StoreContext) (plan.StateStore, error) {
		r, err := f.of(c)
		if err != nil {
			return nil, err
		}
		s, err := newTimed(c, layout(r.keys), d.retention, r.keys, d.codec(r.values))
		if err != nil {
			return nil, err
		}
		return d.store(s)
	}
	p.View = func(r local.Reader) (any, error) { return d.view(view(r)), nil }
	p.Restored = func(b local.Batch, space local.Space, recs []*kgo.Record) error {
		return restoreTimed(p, d.lay, d.retention, d.codec(d.values), b, space, recs)
	}
	p.PartitionKey = func(changelogKey []byte) []byte {
		if d.lay.second == 0 {
			return changelogKey
		}
		return changelogKey[:max(len(changelogKey)-d.lay.suffix(), 0)]
	}
	p.EncodeKey = func(text string) ([]byte, error) { return encodeText(f.known().keys, text) }
	p.KeyBytes = func(key any) ([]byte, error) { return encodeKey(p.Name, f.known().keys, key) }
	p.Read = func(r local.Reader, q plan.Query) iter.Seq2[plan.RenderedEntry, error] {
		return readTimed(view(r), q, d.place)
	}
}

// restoreTimed puts changelog records into the space, but for those that have expired.
func restoreTimed[T any](p *plan.Store, lay timedLayout, retention int64, values codec[T], b local.Batch, space local.Space, recs []*kgo.Record) error {
	before, err := observed(space)
	if err != nil {
		return storeError(p.Name, err)
	}
	now := before
	var disk, data []byte
	for _, rec := range recs {
		if rec.Key == nil && p.Source != nil {
			continue // neither is it in the table
		}
		key, first, second, err := lay.parseRecord(rec)
		if err != nil {
			return restoreError(p, rec, err.Error())
		}
		now = max(now, first)
		if retention > 0 && first < now-retention+1 {
			continue
		}
		disk = lay.disk(disk[:0], string(key), first, second)
		if rec.Value == nil && lay.second > 0 {
			b.Delete(space, disk)
			continue
		}
		data = values.restored(data[:0], rec.Value, rec.Timestamp.UnixMilli())
		b.Set(space, disk, data)
	}
	if now > before {
		expire(b, space, lay, retention, before, now)
		note(b, space, now)
	}
	return nil
}

// parseRecord splits the key of a changelog record; the time of a version is the record's.
func (l timedLayout) parseRecord(rec *kgo.Record) (key []byte, a, b int64, err error) {
	if rec.Key == nil {
		return nil, 0, 0, fmt.Errorf("a changelog record has no key")
	}
	if l.second > 0 {
		return l.parse(rec.Key)
	}
	if a = rec.Timestamp.UnixMilli(); a < 0 {
		return nil, 0, 0, fmt.Errorf("the record's time %d is negative", a)
	}
	return rec.Key, a, 0, nil
}

// readTimed yields entries for people.
func readTimed[K, T any](v timedView[K, T], q plan.Query, place func(r *plan.RenderedEntry, a, b int64)) iter.Seq2[plan.RenderedEntry, error] {
	s := span{key: q.Key, from: q.From, to: q.To, timeFrom: q.TimeFrom, timeTo: q.TimeTo, reverse: q.Reverse}
	if s.timeTo == 0 {
		s.timeTo = forever
	}
	if q.Prefix != nil {
		s.prefix = q.Prefix
	}
	return func(yield func(plan.RenderedEntry, error) bool) {
		for e, err := range v.all(s) {
			r := plan.RenderedEntry{Key: readable(e.key)}
			r.Value, r.Timestamp = v.values.shown(e.value)
			place(&r, e.a, e.b)
			if !yield(r, err) {
				return
			}
		}
	}
}
