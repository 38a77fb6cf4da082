package postgres

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// cursor says which rows a reader has read: those of all transactions below XID,
// except the ones in Open, which were running when it looked. So a transaction that
// commits late is neither missed nor waited for, and nothing is read twice.
//
// XID is the number after that of a row, never of what the server is at: numbers
// are given again after a crash unless a committed row has them.
type cursor struct {
	// Server is what the numbers are of, see DB.system; "" where From is all there is.
	Server string `json:"server,omitempty"`
	// Time of the server at which it was read, or where there was more to read the
	// last row's: to go on by where Server has changed.
	Time time.Time `json:"time,omitzero"`
	// From is set until it is known which rows those from this time on are.
	From *time.Time `json:"from,omitempty"`
	// Before is the place among the rows that have no number, nil after the last.
	Before *place `json:"before,omitempty"`
	XID    uint64 `json:"xid"`
	// Open ascends and is below XID.
	Open []uint64 `json:"open,omitempty"`
	// Cut is how far the one transaction in Open has been read that a page cut.
	Cut *cut `json:"cut,omitempty"`
}

// place is after that row, in the order of time, persistence id (as bytes), number.
type place struct {
	Time          time.Time `json:"time,omitzero"`
	PersistenceID string    `json:"id,omitempty"`
	SeqNr         int64     `json:"seqNr,omitempty"`
}

// cut is after that row of a transaction, in the order of persistence id (as
// bytes) and number.
type cut struct {
	XID           uint64 `json:"xid"`
	PersistenceID string `json:"id"`
	SeqNr         int64  `json:"seqNr"`
}

// rereads is how far before Time is read again where the numbers cannot be relied
// on: what was on its way, and how far clocks of servers may differ.
const rereads = 10 * time.Minute

// parseCursor takes nil for the beginning.
func parseCursor(text journal.Cursor) (cursor, error) {
	if text == nil {
		return cursor{Before: &place{}}, nil
	}
	var c cursor
	if err := json.Unmarshal(text, &c); err != nil || !c.valid() {
		return cursor{}, fmt.Errorf("postgres: %.200q is no cursor of a journal in PostgreSQL; reset the projection", text)
	}
	return c, nil
}

func (c cursor) valid() bool {
	if c.Server == "" && c.From == nil {
		return false
	}
	ascends := slices.IsSorted(c.Open) && (len(c.Open) == 0 || c.Open[len(c.Open)-1] < c.XID)
	return ascends && (c.Cut == nil || slices.Contains(c.Open, c.Cut.XID))
}

func (c cursor) encode() (journal.Cursor, error) { return json.Marshal(c) }

// cursorAt is before the first row of that db_timestamp or a later one.
func cursorAt(t time.Time) journal.Cursor {
	t = t.UTC()
	text, err := cursor{From: &t}.encode()
	if err != nil {
		panic("postgres: " + err.Error()) // a year beyond 9999: no timestamp of a row
	}
	return text
}

// earlierCursor passes over nothing that either of two, none nil, has still to
// read.
func earlierCursor(a, b journal.Cursor) (journal.Cursor, error) {
	first, err := parseCursor(a)
	if err != nil {
		return nil, err
	}
	second, err := parseCursor(b)
	if err != nil {
		return nil, err
	}
	return first.and(second).encode()
}

// and has read what both have.
func (c cursor) and(d cursor) cursor {
	switch {
	case c.Server == "":
		d.From = earlierTime(c.From, d.From)
		return d
	case d.Server == "":
		c.From = earlierTime(c.From, d.From)
		return c
	case c.Server != d.Server:
		return cursor{From: earlierTime(c.safe(), d.safe())}
	}
	both := cursor{Server: c.Server, Time: c.Time, From: earlierTime(c.From, d.From), XID: min(c.XID, d.XID)}
	if d.Time.Before(c.Time) {
		both.Time = d.Time
	}
	both.Before = earlierPlace(c.Before, d.Before)
	both.Open = slices.Concat(c.Open, d.Open)
	slices.Sort(both.Open)
	both.Open = below(slices.Compact(both.Open), both.XID)
	both.Cut = earlierCut(c.Cut, d.Cut)
	if both.Cut != nil && both.Cut.XID >= both.XID {
		both.Cut = nil
	}
	return both
}

// safe is a time from which reading on misses nothing where the numbers cannot be
// relied on.
func (c cursor) safe() *time.Time {
	t := c.Time.Add(-rereads)
	if c.Before != nil && c.Before.Time.Before(t) {
		t = c.Before.Time
	}
	return earlierTime(&t, c.From)
}

// earlierTime takes nil for never.
func earlierTime(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// earlierPlace takes nil for after the last.
func earlierPlace(a, b *place) *place {
	if a == nil || b != nil && b.compare(*a) < 0 {
		return b
	}
	return a
}

func (p place) compare(q place) int {
	if n := p.Time.Compare(q.Time); n != 0 {
		return n
	}
	return compareRows(p.PersistenceID, p.SeqNr, q.PersistenceID, q.SeqNr)
}

// earlierCut drops one that only one of them has: those rows are read again.
func earlierCut(a, b *cut) *cut {
	switch {
	case a == nil || b == nil || a.XID != b.XID:
		return nil
	case compareRows(b.PersistenceID, b.SeqNr, a.PersistenceID, a.SeqNr) < 0:
		return b
	}
	return a
}

// below is the part of ascending numbers that is.
func below(all []uint64, limit uint64) []uint64 {
	n, _ := slices.BinarySearch(all, limit)
	return all[:n:n]
}
