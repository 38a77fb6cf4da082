package eostest

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// partitions of every topic.
const partitions = 5

const (
	windowSize  = 500 * time.Millisecond
	windowGrace = 5 * time.Second
	// lateness of records is less than the grace: none is left out.
	lateness = 2 * time.Second
	// groupsOfKeys are few: a group has keys of all partitions.
	groupsOfKeys = 7
)

// Outputs of the topology.
const (
	echo    = "echo"
	minimum = "min"
	sum     = "sum"
	count   = "cnt"
	mixed   = "mixed" // join of sum and count
	maximum = "max"   // behind a repartition topic
	windows = "windows"
	closed  = "closed" // windows, once and for all
	groups  = "groups" // the count of a group of keys, a table made of a table
)

var outputs = []string{echo, minimum, sum, count, mixed, maximum, windows, closed, groups}

func topology() (*streams.Topology, error) {
	str, num := serde.String(), serde.Int64()
	b := streams.NewBuilder()
	data := streams.From(b, "data", str, num)
	data.To(echo)
	byKey := data.GroupByKey()
	byKey.Reduce(lower, streams.Materialized(minimum)).ToStream().To(minimum)
	sums := byKey.Reduce(add, streams.Materialized(sum))
	sums.ToStream().To(sum)
	counts := streams.Count(byKey, streams.Materialized(count))
	counts.ToStream().To(count)
	streams.JoinTables(sums, counts, mix, num, streams.Materialized(mixed)).ToStream().To(mixed)

	again := data.Repartition(streams.Named("again"), streams.Partitions(partitions))
	again.GroupByKey().Reduce(higher, streams.Materialized(maximum)).ToStream().To(maximum)

	counted := streams.CountWindows(byKey, streams.Tumbling(windowSize).Grace(windowGrace), streams.Materialized(windows), streams.Retention(24*time.Hour))
	streams.ToStreamWithKey(counted, windowName[int64], str).To(windows)
	streams.ToStreamWithKey(streams.Suppress(counted, streams.UntilWindowCloses(streams.Unbounded())), windowName[int64], str).To(closed)

	grouped := streams.GroupTableBy(counts, func(k string, n int64) (string, int64) { return groupOf(k), n }, str, num, streams.Named("grouped"))
	streams.AggregateTable(grouped, func() int64 { return 0 },
		func(_ string, n, all int64) int64 { return all + n },
		func(_ string, n, all int64) int64 { return all - n },
		num, streams.Materialized(groups)).ToStream().To(groups)
	return b.Build()
}

func lower(a, b int64) int64  { return min(a, b) }
func higher(a, b int64) int64 { return max(a, b) }
func add(a, b int64) int64    { return a + b }

// mix lets both sides be told from the result.
func mix(sum, count int64) int64 { return sum<<20 + count }

func windowName[V any](w state.Windowed[string], _ V) string {
	return fmt.Sprintf("%s@%d", w.Key, w.Window.Start)
}

// groupOf a key that ends in digits, or not.
func groupOf(key string) string {
	n := 0
	for _, c := range []byte(key) {
		n += int(c)
	}
	return fmt.Sprintf("group-%d", n%groupsOfKeys)
}
