package incremental

import (
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
)

func (s *Snapshot) note(kind string, more map[string]string) {
	s.notes = append(s.notes, debezium.Notification{
		ID: s.state.correlation, Aggregate: debezium.IncrementalSnapshotAggregate, Type: kind, Data: more,
	})
}

func (s *Snapshot) inProgress(last Key) {
	s.note("IN_PROGRESS", map[string]string{
		"data_collections":               s.names(),
		"current_collection_in_progress": s.state.tables[0].ID.String(),
		"maximum_key":                    s.cfg.Show(s.state.until),
		"last_processed_key":             s.cfg.Show(last),
	})
}

func (s *Snapshot) tableScanned(status string) {
	s.note("TABLE_SCAN_COMPLETED", map[string]string{
		"data_collections":   s.names(),
		"scanned_collection": s.state.tables[0].ID.String(),
		"total_rows_scanned": strconv.FormatInt(s.rows, 10),
		"status":             status,
	})
}

func (s *Snapshot) howEnded() string {
	if s.state.until == nil {
		return "EMPTY"
	}
	return "SUCCEEDED"
}

func (s *Snapshot) names() string {
	names := make([]string, len(s.state.tables))
	for i, t := range s.state.tables {
		names[i] = t.ID.String()
	}
	return strings.Join(names, ",")
}
