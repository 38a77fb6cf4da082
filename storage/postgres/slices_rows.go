package postgres

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/pabal-dev/pabal/journal"
)

// pageRows is a page being read.
type pageRows struct {
	limit  int
	bytes  int
	events []journal.Event
	last   uint64 // transaction of the last row
	row    row
	dest   []any // fields of row
}

// row is what is scanned into; mostly the same words come again and again.
type row struct {
	journal.Event
	xid                                     pgtype.Uint64
	manifest, writer, adapter, metaManifest word
	metaSerializer                          pgtype.Int4
	metaData                                []byte
}

func newPageRows(q journal.Query) *pageRows {
	p := &pageRows{limit: q.Limit}
	r := &p.row
	p.dest = []any{&r.xid, &r.PersistenceID, &r.SeqNr, &r.Time, &r.Payload.Serializer, &r.manifest, &r.Payload.Data,
		&r.Deleted, &r.writer, &r.adapter, &r.Tags, &r.metaSerializer, &r.metaManifest, &r.metaData}
	return p
}

func (p *pageRows) room() int { return p.limit - len(p.events) }

// full pages end with their last row, others with all that could be read.
func (p *pageRows) full() bool { return len(p.events) >= p.limit || p.bytes >= slicePageBytes }

func (p *pageRows) lastRow() *journal.Event { return &p.events[len(p.events)-1] }

func (p *pageRows) lastTime() time.Time { return p.lastRow().Time }

func (p *pageRows) place() *place {
	e := p.lastRow()
	return &place{Time: e.Time, PersistenceID: e.PersistenceID, SeqNr: e.SeqNr}
}

func (p *pageRows) cut() cut {
	e := p.lastRow()
	return cut{XID: p.last, PersistenceID: e.PersistenceID, SeqNr: e.SeqNr}
}

// read stops at the first row after the page is full.
func (p *pageRows) read(rows pgx.Rows) error {
	defer rows.Close()
	for !p.full() && rows.Next() {
		if err := rows.Scan(p.dest...); err != nil {
			return err
		}
		p.events = append(p.events, p.row.event())
		p.last = p.row.xid.Uint64
		p.bytes += len(p.row.Payload.Data) + len(p.row.metaData)
	}
	rows.Close()
	return rows.Err()
}

func (r *row) event() journal.Event {
	e := r.Event
	e.Time = e.Time.UTC()
	e.Payload.Manifest, e.Writer, e.AdapterManifest = r.manifest.text, r.writer.text, r.adapter.text
	if r.metaSerializer.Valid {
		e.Metadata = &journal.Payload{Serializer: r.metaSerializer.Int32, Manifest: r.metaManifest.text, Data: r.metaData}
	}
	if e.Deleted {
		e.Payload = journal.Payload{}
	}
	return e
}

type word struct{ text string }

// ScanBytes implements pgtype.BytesScanner; NULL is "".
func (w *word) ScanBytes(text []byte) error {
	if w.text != string(text) {
		w.text = string(text)
	}
	return nil
}

// inOrder puts each entity's events in the order of their numbers, in the places
// that they have: a transaction of a lower number may have written the later one.
func inOrder(events []journal.Event) []journal.Event {
	last := make(map[string]int64, len(events))
	var wrong map[string][]int
	for i := range events {
		e := &events[i]
		if e.SeqNr < last[e.PersistenceID] {
			if wrong == nil {
				wrong = map[string][]int{}
			}
			wrong[e.PersistenceID] = nil
		}
		last[e.PersistenceID] = e.SeqNr
	}
	if wrong == nil {
		return events
	}
	for i := range events {
		if at, ok := wrong[events[i].PersistenceID]; ok {
			wrong[events[i].PersistenceID] = append(at, i)
		}
	}
	for _, at := range wrong {
		of := make([]journal.Event, len(at))
		for i, n := range at {
			of[i] = events[n]
		}
		slices.SortFunc(of, func(a, b journal.Event) int { return int(a.SeqNr - b.SeqNr) })
		for i, n := range at {
			events[n] = of[i]
		}
	}
	return events
}
