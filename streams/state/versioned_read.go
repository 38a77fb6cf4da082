package state

import "iter"

// latest is the last version, unless that is a deletion.
func latest[V any](all []held[V], err error) (Timestamped[V], bool, error) {
	if n := len(all); err == nil && n > 0 && !all[n-1].Dead {
		return Timestamped[V]{all[n-1].Value, all[n-1].from}, true, nil
	}
	return Timestamped[V]{}, false, err
}

// asOf is the version that held at a time, if that is not before the oldest one kept; the
// latest version does not expire.
func asOf[V any](all []held[V], err error, at, oldest int64) (Timestamped[V], bool, error) {
	for i := len(all) - 1; err == nil && i >= 0; i-- {
		v := all[i]
		if v.from > at {
			continue
		}
		if v.Dead || at < oldest && v.to != forever {
			break
		}
		return Timestamped[V]{v.Value, v.from}, true, nil
	}
	return Timestamped[V]{}, false, err
}

// history yields the versions that held within from <= t <= to.
func history[V any](all []held[V], err error, from, to, oldest int64, yield func(Version[V], error) bool) {
	if err != nil {
		yield(Version[V]{}, err)
		return
	}
	for _, v := range all {
		expired := v.to <= oldest
		if v.Dead || expired || v.to <= from || v.from > to {
			continue
		}
		if !yield(Version[V]{v.Value, v.from, v.to}, nil) {
			return
		}
	}
}

// versionedView is the ReadOnlyVersioned of queries.
type versionedView[K, V any] struct {
	v       timedView[K, version[V]]
	history int64
}

func (w versionedView[K, V]) Get(key K) (Timestamped[V], bool, error) {
	return latest(w.read(key))
}

func (w versionedView[K, V]) GetAsOf(key K, timestamp int64) (Timestamped[V], bool, error) {
	now, err := observed(w.v.r)
	if err != nil {
		return Timestamped[V]{}, false, storeError(w.v.store, err)
	}
	all, err := w.read(key)
	return asOf(all, err, timestamp, oldest(now, w.history))
}

func (w versionedView[K, V]) History(key K, from, to int64) iter.Seq2[Version[V], error] {
	return func(yield func(Version[V], error) bool) {
		now, err := observed(w.v.r)
		if err != nil {
			yield(Version[V]{}, storeError(w.v.store, err))
			return
		}
		all, err := w.read(key)
		history(all, err, from, to, oldest(now, w.history), yield)
	}
}

func (w versionedView[K, V]) read(key K) (all []held[V], err error) {
	k, err := w.v.keys.Append([]byte{}, key)
	if err != nil {
		return nil, keyError(w.v.store, err)
	}
	for e, err := range w.v.all(span{key: k, timeTo: forever}) {
		if err != nil {
			return nil, err
		}
		all = follow(all, e.a, e.value)
	}
	return all, nil
}
