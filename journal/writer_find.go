package journal

import (
	"bytes"
	"context"
)

// findEvents looks whether the events after w.After are those of w: the writer's
// UUID and the payloads tell.
func (w *Writer) findEvents(ctx context.Context, write Write) (Appended, verdict, error) {
	last := write.After + int64(len(write.Events))
	found, same := Appended{}, true
	err := w.store.Events(ctx, write.PersistenceID, write.After+1, last, func(e Event) error {
		i := e.SeqNr - write.After - 1
		same = same && i >= 0 && i < int64(len(write.Events)) &&
			e.Writer == write.Writer && samePayload(e.Payload, write.Events[i].Payload)
		found = Appended{SeqNr: e.SeqNr, Time: e.Time}
		return nil
	})
	switch {
	case err != nil:
		return Appended{}, cannotTell, err
	case found.SeqNr == 0: // or deleted since
		highest, err := w.store.HighestSeqNrs(ctx, []string{write.PersistenceID})
		if err != nil || highest[0] < write.After || highest[0] >= last {
			return Appended{}, cannotTell, err
		}
		return Appended{}, isNot, nil
	case !same || found.SeqNr != last:
		return Appended{}, isNot, nil
	case write.Writer == "":
		return Appended{}, cannotTell, nil
	}
	return found, isThere, nil
}

// findState can only tell that it is not there: nothing in the row says who wrote
// it, and two writers may well have written the same.
func (w *Writer) findState(ctx context.Context, write StateWrite) (Appended, verdict, error) {
	e, ok, err := w.store.LoadState(ctx, write.PersistenceID)
	switch {
	case err != nil || !ok:
		return Appended{}, cannotTell, err
	case e.SeqNr < write.Revision,
		e.SeqNr == write.Revision && (e.Deleted != write.Delete || !e.Deleted && !samePayload(e.Payload, write.Payload)):
		return Appended{}, isNot, nil
	}
	return Appended{}, cannotTell, nil
}

func samePayload(a, b Payload) bool {
	return a.Serializer == b.Serializer && a.Manifest == b.Manifest && bytes.Equal(a.Data, b.Data)
}
