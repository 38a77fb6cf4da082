//go:build unix

package faults_test

import (
	"fmt"
	"io"
	"sync/atomic"
)

// tally counts over all tests of a run, for docs/guarantees.md.
var tally struct {
	rounds, kills, cuts, stops, restarts, orders, messages, repeats atomic.Int64
}

func writeTally(w io.Writer) {
	fmt.Fprintf(w, "FAULTS: %d rounds; %d processes killed, %d connections cut, %d processes stopped, %d servers killed or filled; %d orders, %d messages, %d repeats\n",
		tally.rounds.Load(), tally.kills.Load(), tally.cuts.Load(), tally.stops.Load(), tally.restarts.Load(),
		tally.orders.Load(), tally.messages.Load(), tally.repeats.Load())
}
