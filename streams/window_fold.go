package streams

// fold is what an aggregation does with values. An aggregate that is not there (has is
// false) is a null of Kafka Streams: of a reduction before its first value.
type fold[K, V, A any] struct {
	init func() (agg A, has bool)
	add  func(key K, value V, noValue bool, agg A, has bool) (A, bool)
	// merge joins the aggregates of two sessions; nil where there are none.
	merge func(key K, one A, hasOne bool, two A, hasTwo bool) (A, bool)
}

// counting counts records, also those without a value.
func counting[K, V any]() fold[K, V, int64] {
	return fold[K, V, int64]{
		init:  func() (int64, bool) { return 0, true },
		add:   func(_ K, _ V, _ bool, n int64, _ bool) (int64, bool) { return n + 1, true },
		merge: func(_ K, one int64, _ bool, two int64, _ bool) (int64, bool) { return one + two, true },
	}
}

// reducing begins with the first value.
func reducing[K, V any](f func(V, V) V) fold[K, V, V] {
	add := func(value V, has bool, agg V, hasAgg bool) (V, bool) {
		if !hasAgg {
			return value, has
		}
		return f(agg, value), true
	}
	return fold[K, V, V]{
		init: func() (agg V, has bool) { return agg, false },
		add: func(_ K, value V, noValue bool, agg V, has bool) (V, bool) {
			return add(value, !noValue, agg, has)
		},
		merge: func(_ K, one V, hasOne bool, two V, hasTwo bool) (V, bool) {
			return add(two, hasTwo, one, hasOne)
		},
	}
}

// aggregating is the user's; merge may be nil.
func aggregating[K, V, A any](init func() A, add func(K, V, A) A, merge func(K, A, A) A) fold[K, V, A] {
	return fold[K, V, A]{
		init: func() (A, bool) { return init(), true },
		add: func(key K, value V, _ bool, agg A, _ bool) (A, bool) {
			return add(key, value, agg), true
		},
		merge: func(key K, one A, _ bool, two A, _ bool) (A, bool) { return merge(key, one, two), true },
	}
}
