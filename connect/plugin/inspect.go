package plugin

import (
	"context"

	"github.com/pabal-dev/pabal/connect/config"
)

// Inspector is a Source that says how its database stands, whether its connector runs or not: one
// that is stopped, or gone, may keep the database from freeing its log.
type Inspector interface {
	// Inspect asks the database with a connector's configuration, over a connection of its own.
	Inspect(ctx context.Context, cfg config.Values) (Inspection, error)
}

// LogInspector is a Source whose server keeps its log by age or size, whatever connectors still need
// of it.
type LogInspector interface {
	// InspectLog asks the server how far its log reaches, over a connection of its own. offset is
	// where the connector goes on, as it is stored; nil is that nothing is.
	InspectLog(ctx context.Context, cfg config.Values, offset map[string]any) (Inspection, error)
}

// Inspection is how a source's database stands.
type Inspection struct {
	// Server is its address as the connector has it, such as "db:5432".
	Server string `json:"server"`
	// ServerID is the same for all addresses of a server, and no other's while it runs; "" is not
	// known.
	ServerID string `json:"serverId,omitempty"`
	// Slots are the logical replication slots of the server, of other connectors, too.
	Slots []Slot `json:"slots"`
	// Log is that of a LogInspector; nil where it is not known.
	Log *Log `json:"log,omitempty"`
}

// Log of a server, and where a connector is in it.
type Log struct {
	// Kind is "oplog" or "binary log".
	Kind string `json:"kind"`
	// First and Last are what the server has: times of an oplog, files of a binary log. Next is what
	// the connector needs next; "" is not known.
	First string `json:"first"`
	Last  string `json:"last"`
	Next  string `json:"next,omitempty"`
	// BehindSeconds, BehindFiles and BehindBytes are between Next and the end, as far as the log says; -1 is
	// not known.
	BehindSeconds int64 `json:"behindSeconds"`
	BehindFiles   int   `json:"behindFiles"`
	BehindBytes   int64 `json:"behindBytes"`
	// KeptSeconds is how long the server keeps its log: by its setting, or as it is now; 0 is without end,
	// or not known.
	KeptSeconds int64 `json:"keptSeconds"`
	// State says whether what the connector needs next is there.
	State LogState `json:"state"`
}

// LogState is whether a log has what a connector needs next.
type LogState string

// States; the empty one is that nobody knows.
const (
	// LogKept is that it is there.
	LogKept LogState = "kept"
	// LogExpiring is that it is about to be removed, while the connector is behind.
	LogExpiring LogState = "expiring"
	// LogLost is that it was removed.
	LogLost LogState = "lost"
)

// Slot is a replication slot: the server keeps its log from where the slot stands.
type Slot struct {
	Name     string `json:"name"`
	Database string `json:"database"`
	// Own says that it is this connector's.
	Own bool `json:"own"`
	// Active says that somebody reads it now.
	Active bool `json:"active"`
	// RestartLSN is where the log begins that is kept, ConfirmedLSN up to where changes were
	// taken; "" where there is none.
	RestartLSN   string `json:"restartLsn,omitempty"`
	ConfirmedLSN string `json:"confirmedLsn,omitempty"`
	// RetainedBytes of log are kept for it; -1 where the slot has none any more.
	RetainedBytes int64 `json:"retainedBytes"`
	// WALStatus is reserved, extended, unreserved (the log may go any moment) or lost.
	WALStatus string `json:"walStatus,omitempty"`
}

// Observed is a SourceTask that says how far it is.
type Observed interface {
	// Observe may be called at any time, by any goroutine, and does not wait.
	Observe() Observation
}

// Observation is what only a task itself knows.
type Observation struct {
	// Tables that a snapshot reads, or collections, and those that it has read; 0 where there is
	// no snapshot.
	Tables, TablesDone int
	// QueueBytes wait in the task's queue, of QueueLimit that may; 0 where it has none.
	QueueBytes, QueueLimit int64
}
