package state

import (
	"iter"
	"reflect"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// defineKeyValue fills in how a key-value store is made, viewed and restored.
func defineKeyValue[K, V, T any](s *settings, keys serde.Serde[K], values serde.Serde[V], makeCodec func(serde.Serde[V]) codec[T]) {
	f := &formats[K, V]{keys: keys, values: values}
	p := s.Store
	view := func(r local.Reader) keyValueView[K, T] {
		known := f.known()
		return newKeyValueView(p.Name, r, known.keys, makeCodec(known.values))
	}
	p.New = func(c plan.StoreContext) (plan.StateStore, error) {
		r, err := f.of(c)
		if err != nil {
			return nil, err
		}
		t := reflect.TypeFor[T]()
		if unshared(t) && !hasStrings(t) && !c.Store.Cached {
			return newNumbers(c, r.keys, makeCodec(r.values)), nil
		}
		return newKeyValue(c, r.keys, makeCodec(r.values)), nil
	}
	p.View = func(r local.Reader) (any, error) { return view(r), nil }
	p.Restored = func(b local.Batch, space local.Space, recs []*kgo.Record) error {
		return restoreKeyValue(p, makeCodec(values), b, space, recs)
	}
	p.Decodes = func(rec *kgo.Record) error { return f.decodes(p, rec) }
	p.PartitionKey = func(changelogKey []byte) []byte { return changelogKey }
	p.EncodeKey = func(text string) ([]byte, error) { return encodeText(f.known().keys, text) }
	p.KeyBytes = func(key any) ([]byte, error) { return encodeKey(p.Name, f.known().keys, key) }
	p.Read = func(r local.Reader, q plan.Query) iter.Seq2[plan.RenderedEntry, error] {
		return view(r).read(q)
	}
}

// restoreKeyValue copies records into the space. Those of a source topic without a key are
// not in the table either.
func restoreKeyValue[T any](p *plan.Store, values codec[T], b local.Batch, space local.Space, recs []*kgo.Record) error {
	var data []byte
	for _, rec := range recs {
		switch {
		case rec.Key == nil && p.Source != nil:
		case rec.Key == nil:
			return restoreError(p, rec, "a changelog record has no key")
		case rec.Value == nil:
			b.Delete(space, rec.Key)
		default:
			data = values.restored(data[:0], rec.Value, rec.Timestamp.UnixMilli())
			b.Set(space, rec.Key, data)
		}
	}
	return nil
}
