package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

// unread says which rows of the journal the readers at a cursor have still to
// read, as arguments of statements: those of the transactions from xid on and of
// the open ones, and by time where that is all that is known.
type unread struct {
	xid    string
	open   []string
	before place      // rows without a number after it
	from   *time.Time // all rows from it on
	// known is set where the transactions tell everything.
	known bool
	// again is from when on the slowest would read again if its numbers could not be
	// relied on any more; zero: from the beginning.
	again time.Time
}

// unreadOf is what the slowest of the ranges has still to read. Slices that have no
// range have read nothing.
func (db *DB) unreadOf(ctx context.Context, tx pgx.Tx, ranges []projection.StoredRange) (unread, error) {
	slices := 0
	var slowest cursor
	for i, r := range ranges {
		c, err := parseCursor(r.Cursor)
		if err != nil {
			return unread{}, err
		}
		if i > 0 {
			c = c.and(slowest)
		}
		slowest = c
		slices += r.Slices.Max - r.Slices.Min + 1
	}
	server, err := db.system(ctx, tx)
	if err != nil {
		return unread{}, failed("identify the server", err)
	}
	if server == "" {
		server = unknownServer
	}
	if slices < journal.Slices || slowest.Server != server {
		slowest = cursor{Before: &place{}} // of another server nothing is known
	}
	return unreadAt(slowest), nil
}

func unreadAt(c cursor) unread {
	u := unread{xid: strconv.FormatUint(c.XID, 10), open: []string{}, from: c.From, known: c.Before == nil && c.From == nil, again: *c.safe()}
	for _, xid := range c.Open {
		u.open = append(u.open, strconv.FormatUint(xid, 10))
	}
	u.before = place{Time: endOfTime}
	if c.Before != nil {
		u.before = *c.Before
	}
	return u
}

// endOfTime is after any timestamp of a row.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
