package postgres

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// snapshot is what a transaction of ours sees: of the transactions below next all
// but the running ones. It is the server's pg_snapshot.
type snapshot struct {
	next    uint64
	running []uint64 // ascending
}

// parseSnapshot reads "xmin:xmax:xip,xip".
func parseSnapshot(text string) (s snapshot, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("postgres: %.100q is no snapshot", text)
	}
	if s.next, err = strconv.ParseUint(parts[1], 10, 64); err != nil || parts[2] == "" {
		return s, err
	}
	for number := range strings.SplitSeq(parts[2], ",") {
		xid, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return s, err
		}
		s.running = append(s.running, xid)
	}
	slices.Sort(s.running)
	return s, nil
}

// oldest running transaction, 0 where there is none.
func (s snapshot) oldest() uint64 {
	if len(s.running) == 0 {
		return 0
	}
	return s.running[0]
}

func (s snapshot) runs(xid uint64) bool {
	_, found := slices.BinarySearch(s.running, xid)
	return found
}

// until is the snapshot without what is from that transaction on.
func (s snapshot) until(xid uint64) snapshot {
	return snapshot{next: min(s.next, xid), running: below(s.running, xid)}
}

// spans are ranges of transactions, bounds included, in the order in which they
// are read.
type spans struct{ low, high []uint64 }

func (s *spans) add(low, high uint64) {
	if low <= high {
		s.low, s.high = append(s.low, low), append(s.high, high)
	}
}

// late are the transactions that ran when the cursor's reader looked, and do no
// more. The one that was cut comes first, so that there is never a second.
func (c cursor) late(s snapshot) []uint64 {
	var late []uint64
	if c.Cut != nil {
		late = append(late, c.Cut.XID)
	}
	for _, xid := range c.Open {
		if !s.runs(xid) && (c.Cut == nil || xid != c.Cut.XID) {
			late = append(late, xid)
		}
	}
	return late
}

// unread are the transactions that the snapshot shows and the cursor has not
// passed. Running ones are left out: visiting their rows, which nobody sees, may
// cost as much as those of others.
func (c cursor) unread(s snapshot) spans {
	var all spans
	for _, xid := range c.late(s) {
		all.add(xid, xid)
	}
	c.newSpans(s, all.add)
	return all
}

// newSpans are those from XID on.
func (c cursor) newSpans(s snapshot, add func(low, high uint64)) {
	low := c.XID
	first, _ := slices.BinarySearch(s.running, low)
	for _, xid := range s.running[first:] {
		if low < xid {
			add(low, xid-1)
		}
		low = xid + 1
	}
	if low < s.next {
		add(low, s.next-1)
	}
}

// unseen are the new spans with the latest first, in which to look for the highest
// transaction that has a row.
func (c cursor) unseen(s snapshot) spans {
	var all spans
	c.newSpans(s, all.add)
	slices.Reverse(all.low)
	slices.Reverse(all.high)
	return all
}

// after is the cursor once everything that the snapshot shows has been read.
// highest is the highest transaction of any row in it, 0 where there is none above
// the cursor.
func (c cursor) after(s snapshot, highest uint64, now time.Time) cursor {
	c.open(s, highest, func(xid uint64) bool { return !s.runs(xid) })
	c.Cut, c.Time = nil, now
	return c
}

// afterRow is the cursor after a page that ends with a row of that transaction,
// with more to read. A row of a transaction that was late is after those of
// smaller numbers, and after the one that was cut.
func (c cursor) afterRow(s snapshot, last cut, at time.Time) cursor {
	was := c.Cut
	late := last.XID < c.XID
	c.open(s, last.XID, func(xid uint64) bool {
		switch {
		case s.runs(xid) || xid == last.XID:
			return false
		case was != nil && xid == was.XID:
			return true // it came first
		case was != nil && late && last.XID == was.XID:
			return false // nothing came after it yet
		}
		return !late || xid < last.XID
	})
	if !late {
		c.Open = append(c.Open, last.XID)
		slices.Sort(c.Open)
	}
	c.Cut, c.Time = &last, at
	return c
}

// open drops what was read and adds what runs below the highest transaction read.
func (c *cursor) open(s snapshot, highest uint64, read func(xid uint64) bool) {
	next := max(c.XID, highest+1)
	still := slices.DeleteFunc(slices.Clone(c.Open), read)
	first, _ := slices.BinarySearch(s.running, c.XID)
	still = append(still, below(s.running[first:], next)...)
	c.Open, c.XID = still, next
}

// compareRows is the order of rows within a transaction.
func compareRows(id string, seqNr int64, otherID string, otherSeqNr int64) int {
	if n := strings.Compare(id, otherID); n != 0 {
		return n
	}
	return cmp.Compare(seqNr, otherSeqNr)
}
