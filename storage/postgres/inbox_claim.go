package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/inbox"
)

var (
	inboxLanes     = statementFile("inbox_lanes")
	inboxPutLanes  = statementFile("inbox_put_lanes")
	inboxDropLanes = statementFile("inbox_drop_lanes")
	inboxTrim      = statementFile("inbox_trim")
	waitingDrop    = statementFile("waiting_drop")
)

// Claim is described at inbox.Admin.
func (db *DB) Claim(ctx context.Context, consumer string, p inbox.Partition, lanes int) (inbox.Claim, error) {
	if lanes < 1 {
		return inbox.Claim{}, fmt.Errorf("postgres: claim of %s by %s: %d lanes, at least 1 is needed", p.Topic, consumer, lanes)
	}
	var claim inbox.Claim
	err := db.onPartition(ctx, consumer, p, func(stored inbox.Claim) (inbox.Claim, error) {
		stored.Next = relane(stored.Next, lanes)
		stored.Epoch++
		claim = stored
		return stored, nil
	})
	if err != nil {
		return inbox.Claim{}, fmt.Errorf("claim of %s/%d by %s: %w", p.Topic, p.Partition, consumer, err)
	}
	return claim, nil
}

// relane changes the number of lanes where that moves no message past its
// lane's offset.
func relane(next []int64, lanes int) []int64 {
	if len(next) == 0 {
		return slices.Repeat([]int64{-1}, lanes)
	}
	for _, n := range next {
		if n != next[0] {
			return next
		}
	}
	return slices.Repeat(next[:1], lanes)
}

// StartReplay is described at inbox.Admin. Lanes that stand before from stay
// there. What an earlier replay has still to do is covered by the new one: from
// where that one stands, in the new generation.
func (db *DB) StartReplay(ctx context.Context, consumer string, p inbox.Partition, from int64) (inbox.Replay, error) {
	var replay inbox.Replay
	err := db.onPartition(ctx, consumer, p, func(c inbox.Claim) (inbox.Claim, error) {
		var err error
		if replay, err = nextReplay(c, from); err != nil {
			return c, err
		}
		c.Replay = replay
		c.Epoch++
		for i := range c.Next {
			c.Next[i] = min(c.Next[i], from)
		}
		return c, nil
	}, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, db.names.sql(waitingDrop), partitionArgs(consumer, p, from)...)
		return err
	})
	if err != nil {
		return inbox.Replay{}, fmt.Errorf("replay of %s/%d for %s from offset %d: %w", p.Topic, p.Partition, consumer, from, err)
	}
	return replay, nil
}

func nextReplay(c inbox.Claim, from int64) (inbox.Replay, error) {
	reached := slices.DeleteFunc(slices.Clone(c.Next), func(next int64) bool { return next < 0 })
	if len(reached) == 0 {
		return inbox.Replay{}, errors.New("the consumer has handled nothing of this partition yet: check the names of consumer, cluster and topic")
	}
	next := inbox.Replay{Generation: c.Replay.Generation + 1, From: from, To: max(slices.Max(reached), c.Replay.To)}
	if from < 0 || from >= next.To {
		return inbox.Replay{}, fmt.Errorf("the consumer has come to offset %d: the replay must begin at 0 or after, and before that", next.To)
	}
	if slowest := slices.Min(reached); slowest < c.Replay.To {
		next.From = min(from, slowest)
	}
	return next, nil
}

// onPartition changes a partition's lanes once no transaction holds any, one
// caller at a time, also for the first.
func (db *DB) onPartition(ctx context.Context, consumer string, p inbox.Partition,
	change func(inbox.Claim) (inbox.Claim, error), also ...func(context.Context, pgx.Tx) error) error {
	return db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		key := lockKey("partition", db.schema, consumer, p.Cluster, p.TopicID, strconv.Itoa(int(p.Partition)))
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", key); err != nil {
			return failed("lock the partition", err)
		}
		stored, err := db.lockLanes(ctx, tx, consumer, p)
		if err != nil {
			return failed("lock the lanes", err)
		}
		wanted, err := change(stored)
		if err != nil {
			return err
		}
		if err := db.putLanes(ctx, tx, wanted); err != nil {
			return failed("store the lanes", err)
		}
		for _, fn := range also {
			if err := fn(ctx, tx); err != nil {
				return failed("change the partition", err)
			}
		}
		return nil
	})
}

// lockLanes waits for transactions that have advanced a lane, and reads what they
// left.
func (db *DB) lockLanes(ctx context.Context, tx pgx.Tx, consumer string, p inbox.Partition) (inbox.Claim, error) {
	c := inbox.Claim{Consumer: consumer, Partition: p}
	rows, err := tx.Query(ctx, db.names.sql(inboxLanes), partitionArgs(consumer, p)...)
	if err != nil {
		return c, err
	}
	var lane int
	var next int64
	_, err = pgx.ForEachRow(rows, []any{&lane, &next, &c.Epoch, &c.Replay.Generation, &c.Replay.From, &c.Replay.To}, func() error {
		c.Next = append(c.Next, next)
		return nil
	})
	return c, err
}

func (db *DB) putLanes(ctx context.Context, tx pgx.Tx, c inbox.Claim) error {
	if _, err := tx.Exec(ctx, db.names.sql(inboxDropLanes), partitionArgs(c.Consumer, c.Partition, len(c.Next))...); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, db.names.sql(inboxPutLanes), partitionArgs(c.Consumer, c.Partition, c.Topic, c.Next, c.Epoch,
		c.Replay.Generation, c.Replay.From, c.Replay.To)...)
	return err
}

// TrimInbox is described at inbox.Admin.
func (db *DB) TrimInbox(ctx context.Context, before time.Time, limit int) (int64, error) {
	return db.trim(ctx, "trim the inbox", inboxTrim, before, limit)
}
