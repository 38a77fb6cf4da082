package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	journalAppend     = statementFile("journal_append")
	journalByIndex    = statementFile("journal_by_index")
	journalAppendOne  = statementFile("journal_append_one")
	journalAppendFree = statementFile("journal_append_free")
	journalTakeBack   = statementFile("journal_take_back")
	journalTimes      = statementFile("journal_times")
)

// AppendGroup is described at journal.Store. It is one round trip where no write
// is a conflict; one that is costs some more.
func (db *DB) AppendGroup(ctx context.Context, writes []journal.Write) ([]journal.Result, error) {
	results := make([]journal.Result, len(writes))
	g := newAppends(writes)
	g.refuse(func(place int, err error) { results[place].Err = err })
	if len(g.places) == 0 {
		return results, nil
	}
	if err := g.findTimes(ctx, db.querier(), db.names); err != nil {
		return nil, err
	}
	err := db.repeat(ctx, func() error { return db.appendOrSkip(ctx, g) })
	if endures(err) && len(g.places) > 1 {
		return db.appendEach(ctx, writes)
	}
	if err != nil && len(g.places) != 1 || db.Transient(err) {
		return nil, err
	}
	g.results(results, err)
	return results, nil
}

// appendOrSkip bets on there being no conflict, and where there is one leaves out
// the writes that have it.
func (db *DB) appendOrSkip(ctx context.Context, g *appends) error {
	g.conflicts = g.missing()
	clear(g.times) // of an attempt that was rolled back
	if len(g.conflicts) < len(g.places) {
		err := db.appendAll(ctx, g)
		if !takenSeqNr(err) {
			return err
		}
	}
	return db.Update(ctx, func(tx *Tx) error { return tx.appendFree(ctx, g) })
}

// appendAll is one round trip and one transaction.
func (db *DB) appendAll(ctx context.Context, g *appends) error {
	rows, messages := g.columns(), g.messages()
	var err error
	if rows.continues() && rows.seqNr[0] > grown && len(messages) == 0 {
		err = db.pool.QueryRow(ctx, db.names.sql(journalAppendOne), rows.only()...).Scan(&g.at)
	} else {
		err = db.appendBatch(ctx, g, rows, messages)
	}
	if err != nil {
		return failed("append events", err)
	}
	if len(messages) > 0 {
		db.Notify()
	}
	db.appended()
	return nil
}

// grown is the number of an entity's event from which its table is surely too large for
// a plan that reads all of it, so that journal_by_index need not come first.
const grown = 1000

func (db *DB) appendBatch(ctx context.Context, g *appends, rows *eventColumns, messages []outbox.Message) error {
	batch := &pgx.Batch{}
	batch.Queue(db.names.sql(journalByIndex))
	statement, args := journalAppend, rows.args
	if rows.continues() {
		statement, args = journalAppendOne, rows.only
	}
	batch.Queue(db.names.sql(statement), args()...).QueryRow(func(row pgx.Row) error { return row.Scan(&g.at) })
	if len(messages) > 0 {
		args, err := insertArgs(messages, db.source)
		if err != nil {
			return err
		}
		batch.Queue(db.names.sql(outboxInsert), args...)
	}
	return db.pool.SendBatch(ctx, batch).Close()
}

// takenSeqNr says whether err is a violation of the journal's primary key, or of what
// stands for numbers that are free only because events were deleted.
func takenSeqNr(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || answer.TableName != "event_journal" {
		return false
	}
	return answer.Code == "23505" || answer.Code == "23502" && answer.ColumnName == "seq_nr"
}

// endures says whether err is about a row, so that the others may do without it:
// what only the database knows, such as a constraint that somebody added.
func endures(err error) bool {
	code := sqlState(err)
	return len(code) == 5 && (code[:2] == "22" || code[:2] == "23" || code[:2] == "54")
}

func (db *DB) appendEach(ctx context.Context, writes []journal.Write) ([]journal.Result, error) {
	results := make([]journal.Result, 0, len(writes))
	for i := range writes {
		one, err := db.AppendGroup(ctx, writes[i:i+1])
		if err != nil {
			return nil, err
		}
		results = append(results, one...)
	}
	return results, nil
}

// AppendEvents is described at journal.Tx.
func (tx *Tx) AppendEvents(ctx context.Context, writes []journal.Write) ([]journal.Appended, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	g := newAppends(writes)
	var refused error
	g.refuse(func(_ int, err error) { refused = err })
	if refused != nil {
		return nil, refused
	}
	if err := g.findTimes(ctx, tx.Querier, tx.names); err != nil {
		return nil, err
	}
	g.conflicts = g.missing()
	if len(g.conflicts) == 0 {
		if err := tx.appendFree(ctx, g); err != nil {
			return nil, err
		}
	}
	results := make([]journal.Result, len(writes))
	g.results(results, nil)
	appended := make([]journal.Appended, len(writes))
	for i, r := range results {
		if r.Err != nil {
			return nil, r.Err
		}
		appended[i] = r.Appended
	}
	return appended, nil
}

// appendFree appends the writes that are no conflict, and adds the others to
// those that are. Of a write that is one in part it takes back the rest.
func (tx *Tx) appendFree(ctx context.Context, g *appends) error {
	rows, err := tx.Query(ctx, tx.names.sql(journalAppendFree), g.rows()...)
	if err != nil {
		return failed("append events", err)
	}
	defer rows.Close()
	written := map[eventKey]bool{}
	for rows.Next() {
		var key eventKey
		var at time.Time
		if err := rows.Scan(&key.persistenceID, &key.seqNr, &at); err != nil {
			return failed("append events", err)
		}
		written[key] = true
		g.times[key.persistenceID] = at.UTC()
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return failed("append events", err)
	}
	if ids, seqNrs := g.takeBack(written); len(ids) > 0 {
		if _, err := tx.Exec(ctx, tx.names.sql(journalTakeBack), ids, seqNrs); err != nil {
			return failed("take back what conflicts", err)
		}
	}
	if len(g.conflicts) == len(g.places) {
		return nil
	}
	if err := tx.InsertOutbox(ctx, g.messages()); err != nil {
		return err
	}
	if err := tx.appendedAtCommit(ctx); err != nil {
		return failed("notify readers", err)
	}
	return nil
}
