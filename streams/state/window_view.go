package state

import "iter"

// windowView is the ReadOnlyWindow[K, T] of queries.
type windowView[K, T any] struct {
	v    timedView[K, T]
	size int64
}

func (w windowView[K, T]) Fetch(key K, start int64) (value T, ok bool, err error) {
	for e, err := range w.FetchRange(key, start, start) {
		return e.Value, err == nil, err
	}
	return value, false, nil
}

func (w windowView[K, T]) FetchRange(key K, from, to int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return w.one(key, span{timeFrom: from, timeTo: to})
}

func (w windowView[K, T]) ReverseFetchRange(key K, from, to int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return w.one(key, span{timeFrom: from, timeTo: to, reverse: true})
}

func (w windowView[K, T]) one(key K, q span) iter.Seq2[Pair[Windowed[K], T], error] {
	var err error
	if q.key, err = w.v.keys.Append([]byte{}, key); err != nil {
		return failing[Pair[Windowed[K], T]](keyError(w.v.store, err))
	}
	return w.walk(q)
}

func (w windowView[K, T]) FetchKeys(from, to K, timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return fetchKeys[K, T](w.v.keys, w.walk, w.v.store, from, to, span{timeFrom: timeFrom, timeTo: timeTo})
}

func (w windowView[K, T]) ReverseFetchKeys(from, to K, timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return fetchKeys[K, T](w.v.keys, w.walk, w.v.store, from, to, span{timeFrom: timeFrom, timeTo: timeTo, reverse: true})
}

func (w windowView[K, T]) FetchAll(timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return w.walk(span{timeFrom: timeFrom, timeTo: timeTo})
}

func (w windowView[K, T]) ReverseFetchAll(timeFrom, timeTo int64) iter.Seq2[Pair[Windowed[K], T], error] {
	return w.walk(span{timeFrom: timeFrom, timeTo: timeTo, reverse: true})
}

func (w windowView[K, T]) All() iter.Seq2[Pair[Windowed[K], T], error] {
	return w.walk(span{timeTo: forever})
}

func (w windowView[K, T]) ReverseAll() iter.Seq2[Pair[Windowed[K], T], error] {
	return w.walk(span{timeTo: forever, reverse: true})
}

func (w windowView[K, T]) walk(q span) iter.Seq2[Pair[Windowed[K], T], error] {
	return pairs(w.v.all(q), func(a, _ int64) Window { return windowOf(a, w.size) })
}
