package api

import "time"

// ConnectorLog is the log of a server that keeps it by age or size, whatever connectors still need of
// it: MongoDB's oplog, MariaDB's and MySQL's binary logs.
type ConnectorLog struct {
	Connector string `json:"connector"`
	Server    string `json:"server"`
	// Kind is "oplog" or "binary log".
	Kind string `json:"kind"`
	// First and Last are what the server has: times of an oplog, files of a binary log. Next is what
	// the connector needs next; "" is not known.
	First string `json:"first"`
	Last  string `json:"last"`
	Next  string `json:"next,omitempty"`
	// BehindSeconds, BehindFiles and BehindBytes are between Next and Last; -1 is not known.
	BehindSeconds int64 `json:"behindSeconds"`
	BehindFiles   int   `json:"behindFiles"`
	BehindBytes   int64 `json:"behindBytes"`
	// KeptSeconds is how long the server keeps it; 0 is without end, or not known.
	KeptSeconds int64     `json:"keptSeconds"`
	At          time.Time `json:"at"`
	// Rule is that of the alarm, log-expiring or log-lost, and Problem says it in plain words; both are
	// "" where all is well.
	Rule    string `json:"rule,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// Judge says what is wrong by whether the log has what the connector needs next: expiring or lost.
func (l *ConnectorLog) Judge(state string) {
	longer := "have the server keep more of it (replSetResizeOplog)."
	if l.Kind != "oplog" {
		longer = "have the server keep it longer (binlog_expire_logs_seconds)."
	}
	switch state {
	case "lost":
		l.Rule = "log-lost"
		l.Problem = "The server " + l.Server + " has removed the " + l.Kind + " at " + l.Next + ", which connector " + l.Connector +
			" needs next: changes are gone. Set snapshot.mode=when_needed on it to read all tables again, and " + longer
	case "expiring":
		l.Rule = "log-expiring"
		l.Problem = "The server " + l.Server + " will soon remove the " + l.Kind + " at " + l.Next + ", which connector " + l.Connector +
			" needs next. Have it go on, or " + longer
	}
}
