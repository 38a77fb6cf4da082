package sqlite

import (
	_ "embed" // for the SQL
	"encoding/json"
)

//go:embed sql/outbox_insert.sql
var outboxInsert string

//go:embed sql/outbox_pending.sql
var outboxPending string

//go:embed sql/outbox_aside.sql
var outboxAside string

//go:embed sql/outbox_load.sql
var outboxLoad string

//go:embed sql/outbox_to_history.sql
var outboxToHistory string

//go:embed sql/outbox_republish.sql
var outboxRepublish string

//go:embed sql/outbox_backlog.sql
var outboxBacklog string

//go:embed sql/outbox_lease.sql
var outboxLease string

//go:embed sql/inbox_mark.sql
var inboxMark string

//go:embed sql/inbox_waiting_put.sql
var inboxWaitingPut string

//go:embed sql/inbox_release.sql
var inboxRelease string

//go:embed sql/inbox_fence_parked.sql
var inboxFenceParked string

// list is a parameter for json_each.
func list[T any](values []T) (string, error) {
	if len(values) == 0 {
		return "[]", nil
	}
	text, err := json.Marshal(values)
	return string(text), err
}
