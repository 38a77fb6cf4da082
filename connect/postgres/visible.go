package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// visibleKey is the option that makes records wait, which Debezium does not have.
const visibleKey = "visible.transactions.only"

// visibleLook is how often it is asked whether transactions are seen; a commit that waits for a standby
// takes longer.
const visibleLook = time.Millisecond

// unseen are transactions that are in the log, and that sessions of the server may not see yet: a commit
// is written before it is shown.
type unseen struct {
	wanted bool
	xids   []uint32
	db     *pgx.Conn
}

// began is told of each transaction, and whether the one before had records: others need not be waited
// for.
func (u *unseen) began(xid uint32, records bool) {
	if !u.wanted {
		return
	}
	if n := len(u.xids); n > 0 && !records {
		u.xids = u.xids[:n-1]
	}
	u.xids = append(u.xids, xid)
}

// seen says whether every session that looks from now on sees them.
func (u *unseen) seen(ctx context.Context) (bool, error) {
	if len(u.xids) == 0 {
		return true, nil
	}
	var text string
	if err := u.db.QueryRow(ctx, "SELECT pg_catalog.txid_current_snapshot()::text").Scan(&text); err != nil {
		return false, err
	}
	s, err := parseSnapshot(text)
	if err != nil {
		return false, err
	}
	for i, xid := range u.xids {
		if s.running(xid) {
			u.xids = append(u.xids[:0], u.xids[i:]...)
			return false, nil
		}
	}
	u.xids = u.xids[:0]
	return true, nil
}

// txSnapshot is PostgreSQL's: transactions from next on have not begun, and those listed run.
type txSnapshot struct {
	next uint64
	runs map[uint64]bool
}

func parseSnapshot(text string) (txSnapshot, error) {
	s := txSnapshot{runs: map[uint64]bool{}}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return s, fmt.Errorf("the snapshot %q cannot be read", text)
	}
	var err error
	if s.next, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return s, fmt.Errorf("the snapshot %q cannot be read: %w", text, err)
	}
	for list := range strings.SplitSeq(parts[2], ",") {
		if list == "" {
			continue
		}
		xid, err := strconv.ParseUint(list, 10, 64)
		if err != nil {
			return s, fmt.Errorf("the snapshot %q cannot be read: %w", text, err)
		}
		s.runs[xid] = true
	}
	return s, nil
}

// running says whether a transaction is not seen to have ended. Its number has lost the upper half, and is
// less than half of what fits from the next one.
func (s txSnapshot) running(xid uint32) bool {
	full := int64(s.next) + int64(int32(xid-uint32(s.next)))
	return full >= int64(s.next) || s.runs[uint64(full)]
}

// shown returns when the transactions of the records made so far are seen by all.
func (s *stream) shown(ctx context.Context) error {
	for {
		bounded, cancel := s.bounded(ctx)
		seen, err := s.unseen.seen(bounded)
		cancel()
		if seen || err != nil {
			return err
		}
		if now := time.Now(); !now.Before(s.nextStatus) {
			if err := s.status(now, false); err != nil {
				return err
			}
		}
		select {
		case <-time.After(visibleLook):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
