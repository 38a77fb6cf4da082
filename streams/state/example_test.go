package state_test

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// A definition goes into a topology; what a processor then has of it is a typed store.
func Example() {
	visits := state.Windows("visits", time.Minute, time.Hour, serde.String(), serde.Int64(),
		state.InMemory(), state.Logged(map[string]string{"min.insync.replicas": "2"}))
	fmt.Println(visits.Name(), visits.Plan().Retention)

	visit := func(store state.WindowStore[string, int64], page string, at time.Time) error {
		start := at.Truncate(time.Minute).UnixMilli()
		n, _, err := store.Fetch(page, start)
		if err != nil {
			return err
		}
		return store.Put(page, start, n+1)
	}
	_ = visit // called by a processor

	// The key of a window in a topic: the key and the window's start.
	keys := state.TimeWindowedSerde(serde.String(), time.Minute)
	data, _ := keys.Append(nil, state.Windowed[string]{Key: "home", Window: state.Window{Start: 60_000, End: 120_000}})
	fmt.Printf("%q\n", data)
	// Output:
	// visits 1h0m0s
	// "home\x00\x00\x00\x00\x00\x00\xea`"
}
