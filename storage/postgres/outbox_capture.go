package postgres

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	outboxCapture    = statementFile("outbox_capture")
	outboxCaptureIDs = statementFile("outbox_capture_ids")
)

var _ outbox.CaptureStore = (*DB)(nil)

// Capture is described at outbox.CaptureStore; the log is the write-ahead log, which
// connectors decode where wal_level is logical.
func (db *DB) Capture(ctx context.Context, slot string, limit int) (c outbox.Capture, err error) {
	batch := &pgx.Batch{} // statements run in order, each with a snapshot of its own
	batch.Queue(db.names.sql(outboxPlan))
	batch.Queue(db.names.sql(outboxCaptureIDs), limit).Query(func(rows pgx.Rows) (err error) {
		c.IDs, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	var end, confirmed int64
	var published []string
	var command string
	batch.Queue(db.names.sql(outboxCapture), slot).QueryRow(func(row pgx.Row) error {
		return row.Scan(&end, &c.Slot, &c.Wrong, &published, &c.Reader, &command, &confirmed)
	})
	if err := db.pool.SendBatch(ctx, batch).Close(); err != nil {
		return outbox.Capture{}, failed("look at change data capture", err)
	}
	c.End, c.Confirmed = uint64(end), uint64(confirmed)
	if c.Wrong == "" && c.Reader != "" {
		reading(&c, command, published)
	}
	return c, nil
}

var (
	// startReplication is the command by which a connector begins to read.
	startReplication = regexp.MustCompile(`(?is)^\s*START_REPLICATION\s.*\(.*"?publication_names"?\s+'((?:[^']|'{2})*)'`)
	withMessages     = regexp.MustCompile(`(?i)[(,]\s*"?messages"?\s+'(?:true|on|1)'`)
	identifier       = regexp.MustCompile(`"((?:[^"]|"{2})+)"|([^\s,"]+)`)
)

// reading finds out what the slot's reader reads; published are the publications of this outbox.
func reading(c *outbox.Capture, command string, published []string) {
	found := startReplication.FindStringSubmatch(command)
	switch {
	case command == "":
		c.Hidden = true
	case found == nil: // it does not read yet
		c.Reader = ""
	default:
		c.Messages = withMessages.MatchString(command)
		c.Published = slices.ContainsFunc(identifiers(strings.ReplaceAll(found[1], "''", "'")), func(name string) bool {
			return slices.Contains(published, name)
		})
	}
}

// identifiers in a list with commas; PostgreSQL folds those without quotes.
func identifiers(list string) (names []string) {
	for _, found := range identifier.FindAllStringSubmatch(list, -1) {
		if found[1] != "" {
			names = append(names, strings.ReplaceAll(found[1], `""`, `"`))
		} else {
			names = append(names, strings.ToLower(found[2]))
		}
	}
	return names
}
