package debezium

import (
	"strconv"
	"strings"
)

// Types of notifications about a snapshot as a whole.
const (
	SnapshotStarted   = "STARTED"
	SnapshotCompleted = "COMPLETED"
	SnapshotAborted   = "ABORTED"
	SnapshotSkipped   = "SKIPPED"
)

// SnapshotNote tells of a snapshot that reads whole tables, the first or a blocking one: kind is one
// of the types above.
func SnapshotNote(kind string) Notification {
	return Notification{Aggregate: InitialSnapshotAggregate, Type: kind}
}

// TableNote tells that a snapshot begins to read a table. all are those of the snapshot; without any
// they are left out, as MongoDB's connector does.
func TableNote(table string, all ...string) Notification {
	n := SnapshotNote("IN_PROGRESS")
	n.Data = map[string]string{"current_collection_in_progress": table}
	if len(all) > 0 {
		n.Data["data_collections"] = strings.Join(all, ",")
	}
	return n
}

// TableDoneNote tells that a snapshot has read a table, and so many rows of it, which are left out
// without the tables.
func TableDoneNote(table string, rows int64, all ...string) Notification {
	n := SnapshotNote("TABLE_SCAN_COMPLETED")
	n.Data = map[string]string{"scanned_collection": table, "status": "SUCCEEDED"}
	if len(all) > 0 {
		n.Data["data_collections"], n.Data["total_rows_scanned"] = strings.Join(all, ","), strconv.FormatInt(rows, 10)
	}
	return n
}
