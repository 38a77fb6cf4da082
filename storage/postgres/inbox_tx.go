package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
)

var (
	inboxAdvance  = statementFile("inbox_advance")
	inboxCheck    = statementFile("inbox_check")
	inboxMark     = statementFile("inbox_mark")
	waitingPut    = statementFile("waiting_put")
	waitingDelete = statementFile("waiting_delete")
)

// partitionArgs come first in every statement about a partition.
func partitionArgs(consumer string, p inbox.Partition, more ...any) []any {
	return append([]any{consumer, p.Cluster, p.TopicID, p.Partition}, more...)
}

// AdvanceInbox is described at inbox.Tx.
func (tx *Tx) AdvanceInbox(ctx context.Context, claim inbox.Claim, lane int, next int64) error {
	s, args := inboxAdvance, partitionArgs(claim.Consumer, claim.Partition, lane, claim.Epoch)
	if next < 0 {
		s = inboxCheck
	} else {
		args = append(args, next)
	}
	n, err := tx.Exec(ctx, tx.names.sql(s), args...)
	if err != nil {
		return failed("advance the inbox", err)
	}
	if n == 0 {
		return inbox.ErrFenced
	}
	return nil
}

// MarkInbox is described at inbox.Tx; one round trip for all marks.
func (tx *Tx) MarkInbox(ctx context.Context, consumer string, marks []inbox.Mark) ([]bool, error) {
	if len(marks) == 0 {
		return nil, nil
	}
	unseen := make([]bool, len(marks))
	places := firstPlaces(marks)
	n := len(places)
	ids, generations := make([]string, n), make([]int64, n)
	redriven, outcomes := make([]bool, n), make([]string, n)
	for i, place := range places {
		m := &marks[place]
		ids[i], generations[i], redriven[i], outcomes[i] = m.ID, m.Generation, m.Redriven, string(m.Outcome)
	}
	rows, err := tx.Query(ctx, tx.names.sql(inboxMark), consumer, ids, generations, redriven, outcomes)
	if err != nil {
		return nil, failed("mark the inbox", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, failed("mark the inbox", err)
		}
		if i, ok := slices.BinarySearch(ids, id); ok {
			unseen[places[i]] = true
		}
	}
	if err := rows.Err(); err != nil {
		return nil, failed("mark the inbox", err)
	}
	return unseen, nil
}

// firstPlaces are the indexes of the first mark of each id, ordered by id: so
// that transactions with common ids wait for each other and do not deadlock.
func firstPlaces(marks []inbox.Mark) []int {
	places := make([]int, len(marks))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return strings.Compare(marks[a].ID, marks[b].ID) })
	return slices.CompactFunc(places, func(a, b int) bool { return marks[a].ID == marks[b].ID })
}

// PutWaiting is described at inbox.Tx; one round trip for all rows.
func (tx *Tx) PutWaiting(ctx context.Context, claim inbox.Claim, rows []inbox.Waiting) error {
	if len(rows) == 0 {
		return nil
	}
	n := len(rows)
	offsets, sizes, attempts := make([]int64, n), make([]int64, n), make([]int32, n)
	keys, headers, values := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	next, stamps := make([]*time.Time, n), make([]*time.Time, n)
	parked, reasons := make([]bool, n), make([]string, n)
	for i := range rows {
		w := &rows[i]
		offsets[i], sizes[i], attempts[i], parked[i] = w.Offset, w.Size, int32(w.Attempts), w.Parked
		keys[i], headers[i], values[i] = []byte(w.Key), packHeaders(w.Headers), w.Value
		next[i], stamps[i], reasons[i] = timeOrNull(w.Next), timeOrNull(w.Timestamp), columnText(w.Reason)
	}
	args := partitionArgs(claim.Consumer, claim.Partition, claim.Topic,
		offsets, keys, attempts, next, parked, headers, values, stamps, sizes, reasons)
	if _, err := tx.Exec(ctx, tx.names.sql(waitingPut), args...); err != nil {
		return failed("store waiting messages", err)
	}
	return nil
}

// DeleteWaiting is described at inbox.Tx.
func (tx *Tx) DeleteWaiting(ctx context.Context, claim inbox.Claim, offset int64) (bool, error) {
	n, err := tx.Exec(ctx, tx.names.sql(waitingDelete), partitionArgs(claim.Consumer, claim.Partition, offset)...)
	if err != nil {
		return false, failed("delete a waiting message", err)
	}
	return n > 0, nil
}

// packHeaders keeps every byte of foreign headers: name and value, each behind
// its length; a value's is one more, and 0 for nil. Nil stands for no headers.
func packHeaders(headers []event.Header) []byte {
	var out []byte
	for _, h := range headers {
		out = binary.AppendUvarint(out, uint64(len(h.Key)))
		out = append(out, h.Key...)
		if h.Value == nil {
			out = binary.AppendUvarint(out, 0)
			continue
		}
		out = binary.AppendUvarint(out, uint64(len(h.Value))+1)
		out = append(out, h.Value...)
	}
	return out
}

var errPacked = errors.New("headers of a waiting message are damaged")

func unpackHeaders(packed []byte) ([]event.Header, error) {
	var headers []event.Header
	for len(packed) > 0 {
		key, rest, ok := cutPacked(packed, 0)
		value, rest, ok2 := cutPacked(rest, 1)
		if !ok || !ok2 || key == nil {
			return nil, fmt.Errorf("postgres: %w", errPacked)
		}
		headers, packed = append(headers, event.Header{Key: string(key), Value: value}), rest
	}
	return headers, nil
}

// cutPacked returns nil where the length is below bias.
func cutPacked(packed []byte, bias uint64) (part, rest []byte, ok bool) {
	length, n := binary.Uvarint(packed)
	if n <= 0 {
		return nil, nil, false
	}
	if length < bias {
		return nil, packed[n:], true
	}
	length -= bias
	if length > uint64(len(packed)-n) {
		return nil, nil, false
	}
	end := n + int(length)
	return packed[n:end:end], packed[end:], true
}
