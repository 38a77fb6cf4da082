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

// Inspection is how a source's database stands.
type Inspection struct {
	// Server is its address as the connector has it, such as "db:5432".
	Server string `json:"server"`
	// ServerID is the same for all addresses of a server, and no other's while it runs; "" is not
	// known.
	ServerID string `json:"serverId,omitempty"`
	// Slots are the logical replication slots of the server, of other connectors, too.
	Slots []Slot `json:"slots"`
}

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
