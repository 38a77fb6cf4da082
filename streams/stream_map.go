package streams

import (
	"github.com/pabal-dev/pabal/streams/serde"
)

// Map makes another record of each; keys may change, so that what groups or joins by key
// repartitions first. Option: Named.
func Map[K, V, KO, VO any](s *Stream[K, V], f func(Record[K, V]) Record[KO, VO], ks serde.Serde[KO], vs serde.Serde[VO], opts ...Option) *Stream[KO, VO] {
	o := s.b.readOptions("Map", optName, opts)
	name := s.b.nodeName(o.name, "KSTREAM-MAP-")
	s.b.need(name, "function", f)
	return thenRekeyed(s, name, ks, vs, step(s.b, s.at, name, simple(func(r Record[K, V], next receiver[KO, VO]) error {
		return next(f(r))
	})))
}

// FlatMap makes any number of records of each. Option: Named.
func FlatMap[K, V, KO, VO any](s *Stream[K, V], f func(Record[K, V]) []Record[KO, VO], ks serde.Serde[KO], vs serde.Serde[VO], opts ...Option) *Stream[KO, VO] {
	o := s.b.readOptions("FlatMap", optName, opts)
	name := s.b.nodeName(o.name, "KSTREAM-FLATMAP-")
	s.b.need(name, "function", f)
	return thenRekeyed(s, name, ks, vs, step(s.b, s.at, name, simple(func(r Record[K, V], next receiver[KO, VO]) error {
		for _, out := range f(r) {
			if err := next(out); err != nil {
				return err
			}
		}
		return nil
	})))
}

// MapValues makes another value of each; a tombstone stays one, without a call of f.
// Option: Named.
func MapValues[K, V, VO any](s *Stream[K, V], f func(V) VO, vs serde.Serde[VO], opts ...Option) *Stream[K, VO] {
	s.b.need("MapValues", "function", f)
	return mapValues(s, "MapValues", func(_ K, v V) VO { return f(v) }, vs, opts)
}

// MapValuesWithKey is MapValues with the key, which stays as it is.
func MapValuesWithKey[K, V, VO any](s *Stream[K, V], f func(K, V) VO, vs serde.Serde[VO], opts ...Option) *Stream[K, VO] {
	s.b.need("MapValuesWithKey", "function", f)
	return mapValues(s, "MapValuesWithKey", f, vs, opts)
}

func mapValues[K, V, VO any](s *Stream[K, V], what string, f func(K, V) VO, vs serde.Serde[VO], opts []Option) *Stream[K, VO] {
	o := s.b.readOptions(what, optName, opts)
	name := s.b.nodeName(o.name, "KSTREAM-MAPVALUES-")
	return then(s, name, vs, step(s.b, s.at, name, simple(func(r Record[K, V], next receiver[K, VO]) error {
		if r.NoValue {
			return next(withoutValue[VO](r))
		}
		return next(withValue(r, f(r.Key, r.Value)))
	})))
}

// FlatMapValues makes any number of records with the same key of each; a tombstone passes.
// Option: Named.
func FlatMapValues[K, V, VO any](s *Stream[K, V], f func(V) []VO, vs serde.Serde[VO], opts ...Option) *Stream[K, VO] {
	o := s.b.readOptions("FlatMapValues", optName, opts)
	name := s.b.nodeName(o.name, "KSTREAM-FLATMAPVALUES-")
	s.b.need(name, "function", f)
	return then(s, name, vs, step(s.b, s.at, name, simple(func(r Record[K, V], next receiver[K, VO]) error {
		if r.NoValue {
			return next(withoutValue[VO](r))
		}
		for _, v := range f(r.Value) {
			if err := next(withValue(r, v)); err != nil {
				return err
			}
		}
		return nil
	})))
}

// SelectKey gives each record another key. Option: Named.
func SelectKey[K, V, KO any](s *Stream[K, V], f func(K, V) KO, ks serde.Serde[KO], opts ...Option) *Stream[KO, V] {
	o := s.b.readOptions("SelectKey", optName, opts)
	return selectKey(s, f, ks, o.name)
}

func selectKey[K, V, KO any](s *Stream[K, V], f func(K, V) KO, ks serde.Serde[KO], named string) *Stream[KO, V] {
	name := s.b.nodeName(named, "KSTREAM-KEY-SELECT-")
	s.b.need(name, "function", f)
	return thenRekeyed(s, name, ks, s.vs, step(s.b, s.at, name, simple(func(r Record[K, V], next receiver[KO, V]) error {
		return next(withKey(r, f(r.Key, r.Value)))
	})))
}

// withValue is r with another value.
func withValue[VO, K, V any](r Record[K, V], v VO) Record[K, VO] {
	return Record[K, VO]{Key: r.Key, NoKey: r.NoKey, Value: v, Timestamp: r.Timestamp, Headers: r.Headers}
}

// withoutValue is r as a tombstone.
func withoutValue[VO, K, V any](r Record[K, V]) Record[K, VO] {
	return Record[K, VO]{Key: r.Key, NoKey: r.NoKey, NoValue: true, Timestamp: r.Timestamp, Headers: r.Headers}
}

// withKey is r with another key.
func withKey[KO, K, V any](r Record[K, V], k KO) Record[KO, V] {
	return Record[KO, V]{Key: k, Value: r.Value, NoValue: r.NoValue, Timestamp: r.Timestamp, Headers: r.Headers}
}
