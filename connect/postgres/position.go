package postgres

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// Keys of stored offsets: Debezium's, and those of our own, which it does not look at.
const (
	timeKey      = "ts_usec"
	xidKey       = "txId"
	lsnKey       = "lsn"
	xminKey      = "xmin"
	procKey      = "lsn_proc"
	commitKey    = "lsn_commit"
	kindKey      = "messageType"
	eventsKey    = "lsn_events_processed"
	snapshotKey  = "snapshot"
	lastKey      = "last_snapshot_record"
	completedKey = "snapshot_completed"

	// flushKey is up to where all is done, so that the log before it is not needed.
	flushKey = "lsn_flush"
	// endKey is the end of the transaction, where all of it is done.
	endKey = "transaction_end"
	// partKey is how many records of the last event are done, where that is not all.
	partKey = "event_records_processed"
	// finalKey is the end of the transaction under way, where a part of it is done.
	finalKey = "transaction_commit"
	// systemKey and timelineKey are which log the places are in.
	systemKey   = "system_identifier"
	timelineKey = "timeline"
	// publishedKey is what the publication had.
	publishedKey = "publication"
	// progressKey is how far a snapshot has come.
	progressKey = "snapshot_progress"
)

// Kinds of what a position is at, as Debezium names them.
const (
	beginKind    = "BEGIN"
	commitKind   = "COMMIT"
	insertKind   = "INSERT"
	updateKind   = "UPDATE"
	deleteKind   = "DELETE"
	truncateKind = "TRUNCATE"
	messageKind  = "MESSAGE"
)

// position after a record. Zero LSNs are none.
type position struct {
	partition map[string]any
	// lsn is the place of the event; proc of the last one that is done with; commit the end of the
	// last transaction before it.
	lsn, proc, commit pgoutput.LSN
	// flush is up to where nothing is needed once the record is stored.
	flush pgoutput.LSN
	// end is that of the transaction whose last record it is.
	end pgoutput.LSN
	// final is that of the transaction under way, or of the last one.
	final pgoutput.LSN
	// history is which log these are places of; nil is not known.
	history *history
	// published is what the publication had; nil is not known.
	published *published
	xid       uint32 // 0 is none
	xmin      int64  // 0 is none
	micros    int64
	kind      string
	events    int // at the same lsn
	part      int // records of the event; 0 is all
	tx        debezium.TransactionState
	// chunks is how far an incremental snapshot has come.
	chunks incremental.State
	// snapshot is how far one has come; nil is that none is under way.
	snapshot *progress
	// blocked is how far a blocking snapshot has come, which chunks ask for; nil is that it has not
	// begun. blocking says that the position is within it, or at its end.
	blocked  *progress
	blocking bool
	// row is the key of the row that a record of a snapshot is of.
	row *rowAt
	// offset is what the position was read from; nil where we made it.
	offset map[string]any
	// last says that it is the last record of a snapshot.
	last bool
}

// Partition of the source.
func (p *position) Partition() map[string]any { return p.partition }

// Offset to store.
func (p *position) Offset() map[string]any {
	o := map[string]any{timeKey: p.micros}
	put := func(key string, n int64) {
		if n != 0 {
			o[key] = n
		}
	}
	put(xidKey, int64(p.xid))
	put(lsnKey, int64(p.lsn))
	put(xminKey, p.xmin)
	put(procKey, int64(p.proc))
	put(commitKey, int64(p.commit))
	put(eventsKey, int64(p.events))
	put(flushKey, int64(p.flush))
	put(endKey, int64(p.end))
	put(partKey, int64(p.part))
	if p.kind != "" {
		o[kindKey] = p.kind
	}
	if p.within() {
		put(finalKey, int64(p.final))
	}
	p.history.put(o)
	if p.published != nil {
		o[publishedKey] = p.published.text
	}
	p.tx.Put(o)
	p.chunks.Put(o)
	kind, under := "INITIAL", p.snapshot
	if p.blocking || p.blocked != nil {
		kind, under = blockingKind, p.blocked
	}
	if under != nil || p.last {
		o[snapshotKey], o[lastKey], o[completedKey] = kind, p.last, p.last
	}
	if under != nil && !p.last {
		o[progressKey] = under.encode(p.row)
	}
	return o
}

// blockingKind is that of a blocking snapshot in offsets.
const blockingKind = "BLOCKING"

// positionOf a stored offset, Debezium's or ours; nil of nil.
func positionOf(partition, offset map[string]any) (*position, error) {
	if offset == nil {
		return nil, nil
	}
	p := &position{partition: partition}
	var err error
	number := func(key string) int64 {
		v, ok := offset[key]
		if !ok || v == nil {
			return 0
		}
		n, e := wholeNumber(v)
		if e != nil && err == nil {
			err = fmt.Errorf("the offset's %s is %v: %w", key, v, e)
		}
		return n
	}
	lsn := func(key string) pgoutput.LSN { return pgoutput.LSN(number(key)) }
	p.lsn, p.proc, p.commit, p.flush = lsn(lsnKey), lsn(procKey), lsn(commitKey), lsn(flushKey)
	p.end, p.final, p.history = lsn(endKey), lsn(finalKey), historyOf(offset)
	p.xid, p.xmin, p.micros = uint32(number(xidKey)), number(xminKey), number(timeKey)
	p.events, p.part = int(number(eventsKey)), int(number(partKey))
	p.kind, _ = offset[kindKey].(string)
	if text, _ := offset[publishedKey].(string); text != "" {
		p.published = parsePublished(text)
	}
	if err != nil {
		return nil, err
	}
	if p.lsn == 0 {
		return nil, fmt.Errorf("the offset has no %s", lsnKey)
	}
	return p, p.readSnapshot(offset)
}

func (p *position) readSnapshot(offset map[string]any) (err error) {
	kind := offset[snapshotKey]
	if text, ok := offset[progressKey].(string); ok {
		progress, err := decodeProgress(text)
		if err != nil {
			return fmt.Errorf("the offset's %s: %w", progressKey, err)
		}
		if kind == blockingKind {
			p.blocked = progress
		} else {
			p.snapshot = progress
		}
		return nil
	}
	if kind == nil || kind == false || kind == blockingKind {
		return nil
	}
	if done, _ := offset[completedKey].(bool); done {
		return nil
	}
	if last, _ := offset[lastKey].(bool); last {
		return nil
	}
	p.snapshot = &progress{} // Debezium's own, which does not say how far it came
	return nil
}

// start is where to stream from: all transactions that end up to there are done. 0 is where the
// slot is.
func (p *position) start() pgoutput.LSN {
	switch {
	case p == nil:
		return 0
	case p.flush != 0:
		return p.flush
	case p.kind == messageKind && p.xid == 0:
		return p.lsn // a message of no transaction is told with its end
	case p.commit != 0:
		return p.commit
	case p.kind == "":
		return p.lsn // of a snapshot
	}
	return 0
}

// within says whether it is in the midst of a transaction, the rest of which is still to come.
func (p *position) within() bool {
	return p != nil && p.kind != "" && p.kind != commitKind && p.xid != 0 && p.end == 0
}

// ended is the end of the last whole transaction up to the position.
func (p *position) ended() pgoutput.LSN { return max(p.commit, p.end) }

func wholeNumber(v any) (int64, error) {
	switch n := v.(type) {
	case int64:
		return n, nil
	case int32:
		return int64(n), nil
	case int:
		return int64(n), nil
	case float64:
		if n == float64(int64(n)) {
			return int64(n), nil
		}
	case json.Number:
		return n.Int64()
	case string:
		return strconv.ParseInt(n, 10, 64)
	}
	return 0, fmt.Errorf("it must be a whole number")
}
