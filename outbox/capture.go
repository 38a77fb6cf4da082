package outbox

import (
	"context"
	"errors"
)

// CaptureStore is a Store whose rows a connector for change data capture can publish,
// reading the database's own log.
type CaptureStore interface {
	Store
	// Capture looks at the outbox and then at the connector, which reads the log through
	// the replication slot of that name. It wraps ErrNoCapture where the database has no
	// such log.
	Capture(ctx context.Context, slot string, limit int) (Capture, error)
}

// ErrNoCapture is wrapped by Capture where no connector can read the database's log.
var ErrNoCapture = errors.New("outbox: this database has no log that a connector can read")

// Capture is a look at an outbox whose rows leave by change data capture.
type Capture struct {
	// IDs of STARTED rows, ascending, at most as many as were asked for: all were
	// committed before the log had come to End.
	IDs []int64
	// End of the log.
	End uint64
	// Slot says that the replication slot is there, and Published that its reader's
	// publications have the inserts of this outbox, all of them.
	Slot, Published bool
	// Messages says that the reader reads messages of the log that are no rows (ByMessage), too.
	Messages bool
	// Wrong says why the slot cannot be that of a connector that publishes this outbox; "" where it
	// can be. Hidden says that what its reader reads cannot be seen.
	Wrong  string
	Hidden bool
	// Reader names the connection that reads through the slot; "" where none does.
	Reader string
	// Confirmed is up to where the reader needs the log no more: what is before it is in
	// Kafka.
	Confirmed uint64
}

// readers follows who reads the log, and says of marks in it whether what is before them
// is published.
//
// A connector confirms a place of the log after Kafka has what comes before it. That does not
// hold for all rows of the outbox from the first: a connector that was interrupted while it
// read the table itself streams first, up to a place it looked up when it began, and reads
// the rest of the table then. Who has seen one reader pass a mark twice, the second made
// after the first was passed, has seen it beyond that.
type readers struct {
	reader string
	passed int
	mark   Capture // the rows that are waited for; no IDs: there is none
}

// trusted is how many marks a reader must pass.
const trusted = 2

// take looks at a capture and returns the ids that are published by now; a mark is set
// where there is none.
func (r *readers) take(now Capture) (published []int64) {
	if now.Reader == "" || now.Reader != r.reader {
		*r = readers{reader: now.Reader}
	}
	if r.mark.IDs != nil && now.Confirmed >= r.mark.End {
		r.passed++
		if r.passed >= trusted {
			published = r.mark.IDs
		}
		r.mark = Capture{}
		return published
	}
	if r.mark.IDs == nil && r.reader != "" && now.Published && len(now.IDs) > 0 {
		r.mark = now
	}
	return nil
}
