package log

import (
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
)

// EpochStart is a leader epoch and the first offset that was written in it.
type EpochStart struct {
	Epoch int32
	Start int64
}

func withEpoch(epochs []EpochStart, h batch.Header) []EpochStart {
	if n := len(epochs); n > 0 && epochs[n-1].Epoch >= h.LeaderEpoch || h.LeaderEpoch < 0 {
		return epochs
	}
	return append(epochs, EpochStart{h.LeaderEpoch, h.BaseOffset})
}

// EpochEnd answers OffsetForLeaderEpoch: the largest epoch written that is not larger
// than the one asked for, and the offset where it ends. Both are -1 where the epoch is
// newer than all, or there is none.
func (l *Log) EpochEnd(epoch int32) (int32, int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	i, found := slices.BinarySearchFunc(l.epochs, epoch, func(e EpochStart, epoch int32) int { return int(e.Epoch) - int(epoch) })
	switch {
	case found && i == len(l.epochs)-1:
		return epoch, l.next
	case found:
		return epoch, l.epochs[i+1].Start
	case i == len(l.epochs):
		return -1, -1
	case i == 0:
		return epoch, l.epochs[0].Start
	}
	return l.epochs[i-1].Epoch, l.epochs[i].Start
}

// LastEpoch returns the last leader epoch that was written, or -1.
func (l *Log) LastEpoch() int32 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if n := len(l.epochs); n > 0 {
		return l.epochs[n-1].Epoch
	}
	return -1
}

// epochAt returns the epoch in which an offset was written, or -1. It needs the lock.
func (l *Log) epochAt(offset int64) int32 {
	epoch := int32(-1)
	for _, e := range l.epochs {
		if e.Start <= offset {
			epoch = e.Epoch
		}
	}
	return epoch
}
