package lens

import (
	"cmp"
	"context"
	"slices"
)

// sampleBlocks is how many blocks are read for samples.
const sampleBlocks = 3

// samples are the latest events of each partition in a span of time, the oldest
// first.
func (ix *index) samples(ctx context.Context, from, to int64) map[partitionKey][]entry {
	latest := map[partitionKey][]entry{}
	take := func(entries []entry) {
		for i := len(entries) - 1; i >= 0; i-- {
			e := &entries[i]
			key := partitionKey{e.topic, e.partition}
			if e.at >= from && max(e.at, e.seen) <= to && len(latest[key]) < sampled {
				latest[key] = append(latest[key], *e)
			}
		}
	}
	ix.mu.RLock()
	open := ix.open.entries
	sealed := slices.Clone(ix.sealed)
	ix.mu.RUnlock()
	take(open)
	read := 0
	for _, b := range slices.Backward(sealed) {
		if b.first > to || b.last < from {
			continue
		}
		entries, err := ix.read(ctx, b.id)
		if err != nil {
			break // the index is being closed, or its file cannot be read: see State
		}
		take(entries)
		if read++; read == sampleBlocks {
			break
		}
	}
	for _, list := range latest {
		slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.offset, b.offset) })
	}
	return latest
}
