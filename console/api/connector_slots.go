package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ConnectorProgress is how far a task of a source is, since it began.
type ConnectorProgress struct {
	Events int64 `json:"events"`
	// LastEvent is when the last one came, BehindMillis how long after its change in the
	// database that was; -1 where no record has said.
	LastEvent    time.Time `json:"lastEvent,omitzero"`
	BehindMillis int64     `json:"behindMillis"`
	// QueueBytes wait to be sent, of QueueLimit that may; 0 where the source does not say.
	QueueBytes int64 `json:"queueBytes"`
	QueueLimit int64 `json:"queueLimit"`
	// Snapshot is nil where none was taken since the task began.
	Snapshot *ConnectorSnapshot `json:"snapshot,omitempty"`
	// IncrementalRows were read again beside the stream, because a signal asked for it.
	IncrementalRows int64 `json:"incrementalRows"`
}

// ConnectorSnapshot is how far the first reading of the tables is.
type ConnectorSnapshot struct {
	Running bool      `json:"running"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended,omitzero"`
	Rows    int64     `json:"rows"`
	// Table is the one that the last row is of, or the collection.
	Table string `json:"table,omitempty"`
	// TablesDone of Tables were read; both are 0 where the source does not say.
	TablesDone int `json:"tablesDone"`
	Tables     int `json:"tables"`
}

// ConnectorSlot is a replication slot of a database that connectors read: the server keeps its
// log from where the slot stands.
type ConnectorSlot struct {
	Name     string `json:"name"`
	Server   string `json:"server"`
	Database string `json:"database"`
	// Connector whose slot it is; "" where no connector here has it. Deleted says that the
	// connector is no more.
	Connector string `json:"connector,omitempty"`
	Deleted   bool   `json:"deleted,omitempty"`
	// Active says that somebody reads it now.
	Active bool `json:"active"`
	// RestartLSN is where the log begins that is kept, ConfirmedLSN up to where changes were
	// taken.
	RestartLSN   string `json:"restartLsn,omitempty"`
	ConfirmedLSN string `json:"confirmedLsn,omitempty"`
	// RetainedBytes of log are kept for it; -1 where it has none any more.
	RetainedBytes int64 `json:"retainedBytes"`
	// WALStatus is reserved, extended, unreserved or lost.
	WALStatus string    `json:"walStatus,omitempty"`
	At        time.Time `json:"at"`
	// Rule is that of the alarm, such as "slot-retains-log", and Problem says it in plain words;
	// both are "" where all is well.
	Rule    string `json:"rule,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// Abandoned says that nobody reads it and no connector will.
func (s ConnectorSlot) Abandoned() bool { return !s.Active && (s.Connector == "" || s.Deleted) }

// Judge says what is wrong with the slot, where it keeps more than limit bytes or its log goes.
func (s *ConnectorSlot) Judge(limit int64) {
	where := fmt.Sprintf("Replication slot %s on %s", s.Name, s.Server)
	drop := fmt.Sprintf("If nobody needs it, drop it: SELECT pg_drop_replication_slot('%s');", strings.ReplaceAll(s.Name, "'", "''"))
	kept := size(s.RetainedBytes)
	switch {
	case s.WALStatus == "lost":
		s.Rule, s.Problem = "slot-lost", where+" has lost log that it needed: changes are gone. "
	case s.WALStatus == "unreserved":
		s.Rule, s.Problem = "slot-unreserved", where+" keeps "+kept+" of log, more than max_slot_wal_keep_size: the server may remove it any moment, and changes with it. "
	case s.RetainedBytes <= limit:
		return
	case s.Abandoned():
		s.Rule, s.Problem = "slot-abandoned", where+" keeps "+kept+" of log, and nobody reads it. "
	case !s.Active:
		s.Rule, s.Problem = "slot-retains-log", where+" keeps "+kept+" of log, because connector "+s.Connector+" does not read it. "
	default:
		s.Rule, s.Problem = "slot-retains-log", where+" keeps "+kept+" of log: connector "+s.Connector+" is behind, or a long transaction holds it. "
	}
	switch {
	case s.Abandoned():
		s.Problem += drop
	case s.Rule == "slot-lost":
		s.Problem += "Set snapshot.mode=when_needed on connector " + s.Connector + " to read all tables again."
	case !s.Active:
		s.Problem += "Have it go on, or delete it and drop the slot; else the disk fills up."
	default:
		s.Problem += "Look at its tasks."
	}
}

func size(n int64) string {
	f := float64(n)
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if f < 1024 {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") + " " + unit
		}
		f /= 1024
	}
	return fmt.Sprintf("%.1f TiB", f)
}

// Violations are what is wrong with the connectors and their databases. They quote no records.
func (l ConnectorList) Violations() []Violation {
	var all []Violation
	for _, c := range l.Items {
		if c.State != "FAILED" {
			continue
		}
		what := "Connector " + c.Name + " has failed and does not go on by itself."
		if c.Failed > 0 {
			what = fmt.Sprintf("Connector %s has failed: %d of its %d tasks do not go on by themselves.", c.Name, c.Failed, c.Tasks)
		}
		body, _ := json.Marshal(ActOnConnector{Connector: c.Name, Do: "restart", FailedOnly: true}) // strings: cannot fail
		all = append(all, Violation{Rule: "connector-failed", Service: c.Name, What: what, Action: &Action{
			Label: "Restart what failed", Method: "POST", Path: path("connectors", c.Name, "act"), Body: body, Role: Operator,
			Safe:    "It goes on from what is committed: nothing is left out or sent twice.",
			Command: "pabal connectors restart " + c.Name + " --failed",
		}})
	}
	for _, s := range l.Slots {
		if s.Rule != "" {
			all = append(all, Violation{Rule: s.Rule, Service: s.Connector, What: s.Problem})
		}
	}
	for _, log := range l.Logs {
		if log.Rule != "" {
			all = append(all, Violation{Rule: log.Rule, Service: log.Connector, What: log.Problem})
		}
	}
	return all
}
