package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/inbox"
)

// Claim implements inbox.Admin.
func (db *DB) Claim(ctx context.Context, consumer string, p inbox.Partition, lanes int) (inbox.Claim, error) {
	if lanes < 1 {
		return inbox.Claim{}, fmt.Errorf("claim %s of %s: %d lanes; at least 1 is needed", p.Topic, consumer, lanes)
	}
	claim := inbox.Claim{Consumer: consumer, Partition: p}
	err := db.Update(ctx, func(tx *Tx) error {
		if err := tx.loadClaim(ctx, &claim); err != nil {
			return err
		}
		claim.Epoch++
		if len(claim.Next) != lanes && level(claim.Next) {
			return tx.replaceLanes(ctx, &claim, lanes)
		}
		_, err := tx.Exec(ctx, "UPDATE pabal_inbox_lane SET epoch = $5, topic = $6"+wherePartition,
			append(partitionOf(claim), claim.Epoch, p.Topic)...)
		return err
	})
	return claim, err
}

// loadClaim reads the lanes; none are there before the first claim.
func (tx *Tx) loadClaim(ctx context.Context, claim *inbox.Claim) error {
	claim.Next = nil
	rows, err := tx.Query(ctx, "SELECT next_offset, epoch, generation, replay_from, replay_to FROM pabal_inbox_lane"+wherePartition+" ORDER BY lane",
		partitionOf(*claim)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var next int64
		if err := rows.Scan(&next, &claim.Epoch, &claim.Replay.Generation, &claim.Replay.From, &claim.Replay.To); err != nil {
			return err
		}
		claim.Next = append(claim.Next, next)
	}
	return rows.Err()
}

func level(next []int64) bool {
	for _, n := range next {
		if n != next[0] {
			return false
		}
	}
	return true
}

func (tx *Tx) replaceLanes(ctx context.Context, claim *inbox.Claim, lanes int) error {
	at := int64(-1)
	if len(claim.Next) > 0 {
		at = claim.Next[0]
	}
	if _, err := tx.Exec(ctx, "DELETE FROM pabal_inbox_lane"+wherePartition, partitionOf(*claim)...); err != nil {
		return err
	}
	claim.Next = make([]int64, lanes)
	for lane := range claim.Next {
		claim.Next[lane] = at
		_, err := tx.Exec(ctx, "INSERT INTO pabal_inbox_lane "+
			"(consumer, cluster, topic_id, partition, lane, next_offset, epoch, generation, replay_from, replay_to, topic) "+
			"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
			append(partitionOf(*claim), lane, at, claim.Epoch, claim.Replay.Generation, claim.Replay.From, claim.Replay.To, claim.Topic)...)
		if err != nil {
			return err
		}
	}
	return nil
}

// StartReplay implements inbox.Admin. Lanes behind from stay where they are.
// Where a replay is under way, the new one takes over what that one had still
// to do: it covers both, so that nothing is skipped; what the old one had done
// already in between is repeated.
func (db *DB) StartReplay(ctx context.Context, consumer string, p inbox.Partition, from int64) (inbox.Replay, error) {
	claim := inbox.Claim{Consumer: consumer, Partition: p}
	err := db.Update(ctx, func(tx *Tx) error {
		if err := tx.loadClaim(ctx, &claim); err != nil {
			return err
		}
		replay, err := nextReplay(claim, from)
		if err != nil {
			return err
		}
		claim.Replay = replay
		_, err = tx.Exec(ctx, "UPDATE pabal_inbox_lane SET epoch = $5, next_offset = min(next_offset, $6), "+
			"generation = $7, replay_from = $8, replay_to = $9"+wherePartition,
			append(partitionOf(claim), claim.Epoch+1, from, replay.Generation, replay.From, replay.To)...)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM pabal_inbox_waiting"+wherePartition+" AND offset >= $5", append(partitionOf(claim), from)...)
		return err
	})
	if err != nil {
		return inbox.Replay{}, fmt.Errorf("replay %s/%d for %s from offset %d: %w", p.Topic, p.Partition, consumer, from, err)
	}
	return claim.Replay, nil
}

// nextReplay is the replay from that offset; see StartReplay.
func nextReplay(claim inbox.Claim, from int64) (inbox.Replay, error) {
	lowest, highest := int64(-1), int64(-1)
	for _, next := range claim.Next {
		if next < 0 {
			continue // nothing handled in this lane yet
		}
		if lowest < 0 || next < lowest {
			lowest = next
		}
		highest = max(highest, next)
	}
	next := inbox.Replay{Generation: claim.Replay.Generation + 1, From: from, To: max(highest, claim.Replay.To)}
	if 0 <= lowest && lowest < claim.Replay.To { // under way
		next.From = min(from, lowest)
	}
	switch {
	case from < 0:
		return next, errors.New("an offset is not negative")
	case highest < 0:
		return next, errors.New("the consumer has handled nothing of this partition yet; check consumer, cluster and topic")
	case from >= next.To:
		return next, fmt.Errorf("the consumer has come to offset %d only: there is nothing to repeat", next.To)
	}
	return next, nil
}
