package projection

import (
	"context"
	"errors"
	"fmt"
)

// Target is a read model outside of the offsets' database: a collection, a cache. It
// applies a change only where what it has of that id is of a lower version, so that
// events that come twice, or late from a worker that lost its slices, do no harm.
type Target interface {
	// Apply returns once all changes are stored, of which no two have one id. Its
	// error wraps ErrUnavailable where nothing is wrong with the changes.
	Apply(ctx context.Context, changes []Change) error
}

// Change is what became of one document.
type Change struct {
	ID string
	// Version of the document: the event's sequence number, or the state's revision.
	Version int64
	// Document is nil where it is to be deleted.
	Document any
}

// ErrUnavailable is wrapped by errors of an OutsideHandler that are not about the
// events: the other system could not be reached. Such a group is repeated until it
// works, which costs no attempt; it never is skipped.
var ErrUnavailable = errors.New("projection: the target is not available")

// Mapping is a read model as a function of the event: the document's id, "" for an event
// that changes nothing, and the document as a whole, nil where it is deleted. One id
// must come from one entity only: versions are sequence numbers of that.
type Mapping func(e Envelope) (id string, document any, err error)

// Into is a handler for Config.Outside that keeps a read model. Of the events of a group
// only the last of each document is written.
func Into(target Target, mapping Mapping) OutsideHandler {
	return func(ctx context.Context, es []Envelope) error {
		changes, err := Changes(mapping, es)
		if err != nil || len(changes) == 0 {
			return err
		}
		return target.Apply(ctx, changes)
	}
}

// Changes are the latest of each document, in the order in which these come first.
func Changes(mapping Mapping, es []Envelope) ([]Change, error) {
	places := make(map[string]int, len(es))
	changes := make([]Change, 0, len(es))
	for _, e := range es {
		id, document, err := mapping(e)
		if err != nil {
			return nil, fmt.Errorf("%s, sequence number %d: %w", e.PersistenceID, e.SeqNr, err)
		}
		if id == "" {
			continue
		}
		c := Change{ID: id, Version: e.SeqNr, Document: document}
		at, there := places[id]
		switch {
		case !there:
			places[id] = len(changes)
			changes = append(changes, c)
		case changes[at].Version < c.Version:
			changes[at] = c
		}
	}
	return changes, nil
}
