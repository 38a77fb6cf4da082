package postgres

import "context"

// Appends is described at journal.Reader. It also ends with Close.
func (db *DB) Appends(ctx context.Context) (wake, done <-chan struct{}) {
	return db.hear(ctx, journalRows)
}

// NotifyJournal wakes readers of the journal, here and in other processes: for
// those whose joined transactions were told not to (WithoutNotify), or who write
// by another way, after the commit. It does not wait.
func (db *DB) NotifyJournal() { db.tell(journalRows) }

// appended is to be called after a commit that appended events or states.
func (db *DB) appended() { db.tell(journalRows) }

// appendedAtCommit is to be called in a transaction that appends.
func (tx *Tx) appendedAtCommit(ctx context.Context) error {
	return tx.tellAtCommit(ctx, &tx.appended, journalRows)
}
