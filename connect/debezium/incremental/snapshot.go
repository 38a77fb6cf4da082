// Package incremental decides incremental snapshots: reading tables in chunks, beside the stream of
// changes, without locks. Each chunk is read between two marks that the source writes into its
// database, where they come by in the stream; rows that the stream changes between the marks are
// left to the stream. It is Netflix's DBLog algorithm, as Debezium has it.
//
// Nothing is read or written here. The source asks Next what to read, reads it as Chunk says, and
// passes it to Read; it tells what comes by in the stream to Open, Changed, Truncated, Redefined and
// Close, in the stream's order, and sends the rows that Close and Read return at once, before what
// comes next in the stream. While Waiting it must not go on in the stream: the rows of the chunk
// whose end came by are still being read. Database and Worker do the reading for sources that have
// nothing of their own.
//
// Two things are otherwise than in Debezium. Rows of a chunk that a truncation removed are not sent
// after it. The keys that positions store are JSON, not serialized objects of Java: a snapshot that
// Debezium began goes on with the first row of its current table.
package incremental

import (
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// Key of a row: its key columns as the database's text, by which chunks are read in order.
type Key []string

// Row of a chunk.
type Row struct {
	Key Key
	// ID is the same for all versions of the row, in chunks and in the stream.
	ID string
	// Values are the source's.
	Values []any
	// Bytes is about how much memory a record of it takes.
	Bytes int
}

// Chunk to be read by the source, in this order: write the mark OpenID and commit it; find the
// table's greatest key where Until is nil; read at most Limit rows with keys after After and up to
// the greatest, by key; write the mark CloseID and commit it. With the strategy INSERT_DELETE the
// second mark is the deletion of the first.
type Chunk struct {
	ID        string
	Table     Table
	After     Key // nil is from the first row on
	Until     Key // nil is not known yet
	Limit     int
	Strategy  string
	OpenType  string // of the signal that is the mark
	CloseType string
}

// OpenID and CloseID are the ids of the marks.
func (c Chunk) OpenID() string { return c.ID + "-open" }

// CloseID is that of the second mark.
func (c Chunk) CloseID() string { return c.ID + "-close" }

// Result of reading a chunk.
type Result struct {
	// ID is the chunk's.
	ID string
	// Until is the table's greatest key; nil where the table is empty.
	Until Key
	// Rows in the order of their keys. They may be fewer than asked for, to save memory; none means
	// that the table has no more.
	Rows []Row
	// Skip the table for a reason; "" is not to.
	Skip Reason
}

// Reason why a table is not read to its end, as Debezium words it.
type Reason string

// Reasons.
const (
	NoPrimaryKey  Reason = "NO_PRIMARY_KEY"
	SQLException  Reason = "SQL_EXCEPTION"
	UnknownSchema Reason = "UNKNOWN_SCHEMA"
)

// Config of a Snapshot.
type Config struct {
	// Limit of rows per chunk: incremental.snapshot.chunk.size.
	Limit int
	// Strategy is incremental.snapshot.watermarking.strategy.
	Strategy string
	// NewID makes ids of chunks; nil makes random ones.
	NewID func() string
	// Show a key in notifications; nil joins its columns with commas.
	Show func(Key) string
}

// Snapshot is one connector's incremental snapshot, which may be of no table. One goroutine uses
// it.
type Snapshot struct {
	cfg   Config
	state State
	rows  int64 // that were read of the current table

	chunk  string // the one being read or waiting for its marks; "" is none
	read   bool   // its rows are there
	opened bool   // its first mark came by
	closed bool   // its second mark came by
	window window
	notes  []debezium.Notification
	told   State // before what notes are of
}

// New snapshot of nothing.
func New(cfg Config) *Snapshot {
	if cfg.NewID == nil {
		cfg.NewID = debezium.NewUUID
	}
	if cfg.Show == nil {
		cfg.Show = func(key Key) string { return strings.Join(key, ",") }
	}
	return &Snapshot{cfg: cfg}
}

// Running says whether there are tables to read.
func (s *Snapshot) Running() bool { return len(s.state.tables) > 0 }

// Paused says whether no more chunks are read for now.
func (s *Snapshot) Paused() bool { return s.state.paused }

// Signalled is a signal of the topic of signals, by its offset there, that Apply was given, or that
// was acted on otherwise: the state says so from now on, together with the effect.
func (s *Snapshot) Signalled(offset int64) { s.state.signal = offset + 1 }

// none is the state of no incremental snapshot.
func (s *Snapshot) none() State { return State{signal: s.state.signal, blocking: s.state.blocking} }

// State is how far the snapshot is, for the position to store with each record.
func (s *Snapshot) State() State { return s.state }

// Told is the State without what is still to be notified of, for positions of records that come before
// the notifications: who starts there notifies, too.
func (s *Snapshot) Told() State {
	if len(s.notes) > 0 {
		return s.told
	}
	return s.state
}

// Notes are what there is to notify of since the last call.
func (s *Snapshot) Notes() []debezium.Notification {
	notes := s.notes
	s.notes = nil
	return notes
}

// Next is the chunk to read now; ok is false where there is none, or one is being read.
func (s *Snapshot) Next() (c Chunk, ok bool) {
	if !s.Running() || s.state.paused || s.chunk != "" {
		return Chunk{}, false
	}
	s.chunk = s.cfg.NewID()
	s.read, s.opened, s.closed, s.window = false, false, false, window{}
	return Chunk{
		ID: s.chunk, Table: s.state.tables[0], After: s.state.after, Until: s.state.until,
		Limit: s.cfg.Limit, Strategy: s.cfg.Strategy, OpenType: "snapshot-window-open", CloseType: "snapshot-window-close",
	}, true
}

// Waiting says whether the stream must wait for Read.
func (s *Snapshot) Waiting() bool { return s.chunk != "" && s.closed && !s.read }

// Open is the first mark that came by, by its id.
func (s *Snapshot) Open(id string) {
	if s.chunk != "" && id == s.chunk+"-open" {
		s.opened = true
	}
}

// Changed is a change of a row that came by. A changed key is two changes: of the old and the new.
func (s *Snapshot) Changed(table debezium.TableID, id string) {
	if s.within(table) {
		s.window.drop(id)
	}
}

// Truncated is a table that lost all its rows.
func (s *Snapshot) Truncated(table debezium.TableID) {
	if s.within(table) {
		s.window.dropAll = true
	}
}

func (s *Snapshot) within(table debezium.TableID) bool {
	return s.chunk != "" && s.opened && !s.closed && s.state.tables[0].ID == table
}

// Redefined is a table whose definition changed in the stream: a chunk of it is read again, as its
// rows may have been read by the other definition.
func (s *Snapshot) Redefined(table debezium.TableID) {
	if s.chunk != "" && s.state.tables[0].ID == table {
		s.chunk = ""
	}
}

// Close is the second mark that came by, by its id. The rows are to be sent now.
func (s *Snapshot) Close(id string) []Emission {
	if s.chunk == "" || id != s.chunk+"-close" || s.closed {
		return nil
	}
	s.closed = true
	return s.finish()
}

// Read takes what was read of a chunk. Rows that it returns are to be sent now: the stream waited
// for them.
func (s *Snapshot) Read(r Result) []Emission {
	s.told = s.Told()
	if r.ID != s.chunk || s.chunk == "" || s.read {
		return nil // it was given up
	}
	if s.state.until == nil {
		s.state.until = slices.Clone(r.Until)
	}
	switch {
	case r.Skip != "":
		s.tableDone(string(r.Skip))
		return nil
	case len(r.Rows) == 0:
		s.tableDone(s.howEnded())
		return nil
	}
	s.read = true
	s.window.fill(r.Rows)
	s.rows += int64(len(r.Rows))
	s.inProgress(r.Rows[len(r.Rows)-1].Key)
	return s.finish()
}

// Failed is a chunk that could not be read for now: Next gives it again.
func (s *Snapshot) Failed(id string) {
	if id == s.chunk && !s.read {
		s.chunk = ""
	}
}

// Emission is a row to send as read by the snapshot, with the state to store with it.
type Emission struct {
	Table debezium.TableID
	Row   Row
	State State
}

// finish the chunk where both its rows and its end are there.
func (s *Snapshot) finish() []Emission {
	if !s.read || !s.closed {
		return nil
	}
	var out []Emission
	if s.opened { // else the end of a window whose begin never came by says nothing of its rows
		for _, row := range s.window.left() {
			s.state.after = row.Key
			out = append(out, Emission{s.state.tables[0].ID, row, s.state})
		}
		s.state.after = s.window.rows[len(s.window.rows)-1].Key
	}
	s.chunk, s.window = "", window{}
	return out
}

// tableDone goes on with the next table.
func (s *Snapshot) tableDone(status string) {
	s.tableScanned(status)
	s.leaveTable()
	if !s.Running() {
		s.note("COMPLETED", nil)
		s.state = s.none()
	}
}

func (s *Snapshot) leaveTable() {
	s.state.tables = s.state.tables[1:]
	s.state.after, s.state.until, s.rows = nil, nil, 0
	s.chunk, s.window = "", window{}
}
