package mongodb

import (
	"bytes"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// event of a change stream. Its parts are those of the bytes it was read from.
type event struct {
	token          bson.Raw
	operation      string
	ns             namespace
	key            bson.Raw // the document key
	full, before   bson.Raw
	update         bson.Raw
	time           bson.Timestamp
	wall           int64 // in milliseconds, 0 where the server does not tell
	lsid           bson.Raw
	txn            int64
	transactional  bool
	fragment, last int32 // of a split event; 0 where it is whole
}

// readEvent understands an event. Fields of the wrong type are as those that are not there.
func readEvent(raw bson.Raw) (e event, err error) {
	elements, err := raw.Elements()
	if err != nil {
		return e, fmt.Errorf("the change stream's event: %w", err)
	}
	for _, element := range elements {
		e.set(element.Key(), element.Value())
	}
	if e.token == nil || e.operation == "" && e.fragment <= 1 {
		return e, fmt.Errorf("the change stream's event has no _id or no operationType; cursor.pipeline must leave them as they are")
	}
	e.transactional = e.transactional && e.lsid != nil
	return e, nil
}

func (e *event) set(key string, v bson.RawValue) {
	switch key {
	case "_id":
		e.token, _ = v.DocumentOK()
	case "operationType":
		e.operation, _ = v.StringValueOK()
	case "ns":
		ns, _ := v.DocumentOK()
		e.ns.db, _ = ns.Lookup("db").StringValueOK()
		e.ns.coll, _ = ns.Lookup("coll").StringValueOK()
	case "documentKey":
		e.key, _ = v.DocumentOK()
	case "fullDocument":
		e.full, _ = v.DocumentOK()
	case "fullDocumentBeforeChange":
		e.before, _ = v.DocumentOK()
	case "updateDescription":
		e.update, _ = v.DocumentOK()
	case "clusterTime":
		e.time.T, e.time.I, _ = v.TimestampOK()
	case "wallTime":
		e.wall, _ = v.DateTimeOK()
	case "lsid":
		e.lsid, _ = v.DocumentOK()
	case "txnNumber":
		e.txn, e.transactional = v.AsInt64OK()
	case "splitEvent":
		split, _ := v.DocumentOK()
		e.fragment, _ = split.Lookup("fragment").Int32OK()
		e.last, _ = split.Lookup("of").Int32OK()
	}
}

// merge adds a later fragment of the same event.
func (e *event) merge(next event) {
	e.token, e.fragment = next.token, next.fragment
	first(&e.key, next.key)
	first(&e.full, next.full)
	first(&e.before, next.before)
	first(&e.update, next.update)
	first(&e.lsid, next.lsid)
	if e.operation == "" {
		e.operation = next.operation
	}
	if e.ns == (namespace{}) {
		e.ns = next.ns
	}
	if e.time.IsZero() {
		e.time = next.time
	}
	if e.wall == 0 {
		e.wall = next.wall
	}
	if !e.transactional {
		e.txn, e.transactional = next.txn, next.transactional
	}
}

func first(mine *bson.Raw, theirs bson.Raw) {
	if *mine == nil {
		*mine = theirs
	}
}

// detach copies what the next event may overwrite.
func (e *event) detach() {
	for _, part := range []*bson.Raw{&e.token, &e.key, &e.full, &e.before, &e.update, &e.lsid} {
		*part = bytes.Clone(*part)
	}
}
