package node

import (
	"fmt"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
)

// replayBytes is how much of a log is in memory at a time, or one batch.
const replayBytes = 1 << 20

// Replay reads the records of an internal topic in order. take may keep them.
func (n *Node) Replay(name string, take func(keylog.Record) error) error {
	t := n.catalog.Load().byName[name]
	if t == nil || !t.Internal {
		return fmt.Errorf("%s is no coordinator's log", name)
	}
	l := t.Partition(0).log
	offset := l.Offsets().Start
	for buf := []byte(nil); ; {
		read, err := l.Read(offset, replayBytes, false, buf)
		if err == nil {
			if len(read.Data) == 0 {
				return nil
			}
			offset, err = replay(read.Data, offset, take)
		}
		if err != nil {
			return fmt.Errorf("%s, offset %d: %w: restore %s from a copy, or move it away to go on without what it has",
				name, offset, err, l.File(offset))
		}
		buf = read.Data
	}
}

// replay takes the records of whole batches, from an offset on, and returns the next one, or
// where it failed.
func replay(data []byte, from int64, take func(keylog.Record) error) (int64, error) {
	next := from
	for len(data) > 0 {
		h, err := batch.Verify(data)
		if err != nil {
			return next, err
		}
		if at, err := replayBatch(data[:h.Size], h, from, take); err != nil {
			return at, err
		}
		data, next = data[h.Size:], h.NextOffset()
	}
	return next, nil
}

func replayBatch(b []byte, h batch.Header, from int64, take func(keylog.Record) error) (int64, error) {
	if h.Control() {
		return h.BaseOffset, nil
	}
	it, err := batch.Records(b, 128<<20)
	if err != nil {
		return h.BaseOffset, err
	}
	for r, ok := it.Next(); ok; r, ok = it.Next() {
		if r.Offset < from {
			continue
		}
		if err := take(copied(r)); err != nil {
			return r.Offset, err
		}
	}
	return h.BaseOffset, it.Err()
}

// copied shares no memory with the batch.
func copied(r batch.Record) keylog.Record {
	both := append(append(make([]byte, 0, len(r.Key)+len(r.Value)), r.Key...), r.Value...)
	record := keylog.Record{Key: both[:len(r.Key):len(r.Key)]}
	if r.Value != nil {
		record.Value = both[len(r.Key):]
	}
	return record
}
