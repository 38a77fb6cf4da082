package projection

import (
	"slices"

	"github.com/pabal-dev/pabal/journal"
)

// share is the slices of a worker among all that are alive, by name in ascending
// order: even parts, the same whoever computes them from the same names. There is
// none for a worker that is not among them, or where there are more workers than
// slices.
func share(alive []string, worker string) (journal.SliceRange, bool) {
	at, found := slices.BinarySearch(alive, worker)
	if !found || at >= journal.Slices {
		return journal.SliceRange{}, false
	}
	return journal.SliceRanges(len(alive))[at], true
}
