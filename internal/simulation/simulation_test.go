package simulation_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/simulation"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// shuffles is how many orders a system's space has beside the regular ones.
const shuffles = 2

// explore runs some plans of the scenario's space, chosen by the test's seed. In long
// mode it runs at least every pair of steps, and as much of the space as fits.
func explore(t *testing.T, s simulation.Scenario) {
	t.Helper()
	random := testenv.Rand(t)
	space, cover := simulation.Mix(random, simulation.Space(t, s, random, shuffles))
	bound := testenv.Sized(simulation.Bound{Time: 3 * time.Second, Plans: 5}, simulation.Bound{Time: 10 * time.Minute, Plans: cover})
	ran := simulation.Explore(t, s, space, bound)
	t.Logf("%s: %d of %d plans, %d pairs of steps", s.System.Name, ran, len(space), cover)
}

// nothingAccepted: a script's requests may be answered twice, and need not be counted.
func nothingAccepted(int, func(keys, ids []string) error) error { return nil }

// verdict says which invariants do not hold. The outboxes keep what was sent, because
// nothing is published.
func verdict(results []invariants.Result, err error) error {
	for _, r := range results {
		switch r.Name {
		case invariants.Messages, invariants.HotelMessages, invariants.LibraryMessages:
			continue
		}
		if !r.OK {
			err = errors.Join(err, fmt.Errorf("%s: %s", r.Name, r.Detail))
		}
	}
	return err
}
