package inbox

import (
	"errors"
	"fmt"
	"slices"
)

// Relane is for stores: the next offsets of a claim that wants that many lanes, given
// the stored ones. Where those do not stand at one offset they stay, because a change
// would move messages past their lane's offset.
func Relane(next []int64, lanes int) []int64 {
	if len(next) == 0 {
		return slices.Repeat([]int64{-1}, lanes)
	}
	for _, n := range next {
		if n != next[0] {
			return next
		}
	}
	return slices.Repeat(next[:1], lanes)
}

// NextReplay is for stores: the deliberate replay from that offset, given where the
// partition stands. What an earlier replay has still to do is covered by the new one.
func (c Claim) NextReplay(from int64) (Replay, error) {
	reached := slices.DeleteFunc(slices.Clone(c.Next), func(next int64) bool { return next < 0 })
	if len(reached) == 0 {
		return Replay{}, errors.New("the consumer has handled nothing of this partition yet: check the names of consumer, cluster and topic")
	}
	next := Replay{Generation: c.Replay.Generation + 1, From: from, To: max(slices.Max(reached), c.Replay.To)}
	if from < 0 || from >= next.To {
		return Replay{}, fmt.Errorf("the consumer has come to offset %d: the replay must begin at 0 or after, and before that", next.To)
	}
	if slowest := slices.Min(reached); slowest < c.Replay.To {
		next.From = min(from, slowest)
	}
	return next, nil
}
