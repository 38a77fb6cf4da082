package server

import "github.com/pabal-dev/pabal/kafka/broker/internal/txn"

// Where a few bytes of a request have much to answer, they are answered once, however
// often they come.

// distinct are the first of each key.
func distinct[T any](all []T, key func(T) string) []T {
	seen := make(map[string]bool, len(all))
	var first []T
	for _, t := range all {
		if k := key(t); !seen[k] {
			seen[k] = true
			first = append(first, t)
		}
	}
	return first
}

// partitions have been asked for.
type partitions map[txn.Partition]bool

// more are those of a topic that have not been asked for yet.
func (p partitions) more(topic string, indexes []int32) []int32 {
	var more []int32
	for _, index := range indexes {
		if k := (txn.Partition{Topic: topic, Index: index}); !p[k] {
			p[k] = true
			more = append(more, index)
		}
	}
	return more
}
