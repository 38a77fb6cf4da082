package mysql

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Keys of stored offsets: Debezium's, and those of our own, which it does not look at.
const (
	fileKey      = "file"
	posKey       = "pos"
	gtidsKey     = "gtids"
	eventKey     = "event"
	rowKey       = "row"
	serverKey    = "server_id"
	secondsKey   = "ts_sec"
	snapshotKey  = "snapshot"
	completedKey = "snapshot_completed"

	// gtidKey is the transaction that event and row count in.
	gtidKey = "transaction_gtid"
	// queriesKey says whether statements are counted as events.
	queriesKey = "events_include_queries"
	// partKey is how many records of the next row are done.
	partKey = "row_records_processed"
	// progressKey is how far a snapshot has come.
	progressKey = "snapshot_progress"
)

// place in the binary log.
type place struct {
	file string
	pos  uint64
}

func (p place) String() string { return p.file + ":" + strconv.FormatUint(p.pos, 10) }

// reaches says whether p is not before another place.
func (p place) reaches(other place) bool {
	if p.file == other.file {
		return p.pos >= other.pos
	}
	return number(p.file) > number(other.file)
}

func number(file string) uint64 {
	n, _ := strconv.ParseUint(file[strings.LastIndexByte(file, '.')+1:], 10, 64)
	return n
}

// position after a record.
type position struct {
	partition map[string]any
	// place where the transaction under way begins, or where the last one ended.
	place
	// gtids of all transactions that are done; nil is that they are not known.
	gtids gtidSet
	// gtid of the transaction under way; "" is none.
	gtid string
	// events of it that are done, rows of the next one, and records of the next row.
	events, rows, part int
	queries            bool
	server             uint32
	seconds            int64
	tx                 debezium.TransactionState
	// chunks is how far signals and an incremental snapshot have come.
	chunks incremental.State
	// snapshot is how far one has come; nil is that none is under way.
	snapshot *progress
	// blocked is how far a blocking snapshot has come, which chunks ask for; nil is that it has not
	// begun. blocking says that the position is within it, or at its end.
	blocked  *progress
	blocking bool
	// last says that it is the last record of a snapshot.
	last bool
	// offset is what the position was read from; nil where we made it.
	offset map[string]any
}

var _ plugin.Position = (*position)(nil)

// Partition of the source.
func (p *position) Partition() map[string]any { return p.partition }

// Offset to store.
func (p *position) Offset() map[string]any {
	o := map[string]any{fileKey: p.file, posKey: int64(p.pos)}
	put := func(key string, n int64) {
		if n != 0 {
			o[key] = n
		}
	}
	if p.gtids != nil && p.gtids.String() != "" {
		o[gtidsKey] = p.gtids.String()
	}
	put(eventKey, int64(p.events))
	put(rowKey, int64(p.rows))
	put(partKey, int64(p.part))
	put(serverKey, int64(p.server))
	put(secondsKey, p.seconds)
	if p.events > 0 && p.gtid != "" {
		o[gtidKey] = p.gtid
	}
	if p.events > 0 && p.queries {
		o[queriesKey] = true
	}
	p.tx.Put(o)
	p.chunks.Put(o)
	kind, under := "INITIAL", p.snapshot
	if p.blocking || p.blocked != nil {
		kind, under = blockingKind, p.blocked
	}
	if under != nil || p.last {
		o[snapshotKey], o[completedKey] = kind, p.last
	}
	if under != nil && !p.last {
		o[progressKey] = under.encode()
	}
	return o
}

// blockingKind is that of a blocking snapshot in offsets.
const blockingKind = "BLOCKING"

func (p *position) gtidText() string {
	if p.gtids == nil {
		return ""
	}
	return p.gtids.String()
}

// positionOf a stored offset, Debezium's or ours; nil of nil.
func positionOf(f flavor, partition, offset map[string]any) (p *position, err error) {
	if offset == nil {
		return nil, nil
	}
	p = &position{partition: partition, offset: offset}
	read := func(key string) int64 {
		v, ok := offset[key]
		if !ok || v == nil {
			return 0
		}
		n, e := wholeNumber(v)
		if (e != nil || n < 0) && err == nil {
			err = fmt.Errorf("the offset's %s is %v: it must be a whole number, and not negative", key, v)
		}
		return n
	}
	p.pos, p.events, p.rows, p.part = uint64(read(posKey)), int(read(eventKey)), int(read(rowKey)), int(read(partKey))
	p.server, p.seconds = uint32(read(serverKey)), read(secondsKey)
	if err != nil {
		return nil, err
	}
	p.file, _ = offset[fileKey].(string)
	p.gtid, _ = offset[gtidKey].(string)
	p.queries, _ = offset[queriesKey].(bool)
	if text, _ := offset[gtidsKey].(string); text != "" {
		if p.gtids, err = parseGTIDs(f, text); err != nil {
			return nil, fmt.Errorf("the offset's %s: %w", gtidsKey, err)
		}
	}
	if p.file == "" && p.gtids == nil {
		return nil, fmt.Errorf("the offset has neither %s nor %s", fileKey, gtidsKey)
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
	if done, _ := offset[completedKey].(bool); kind == nil || kind == false || kind == blockingKind || done {
		return nil
	}
	p.snapshot = &progress{} // Debezium's own, which does not say how far it came
	return nil
}

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
	return 0, fmt.Errorf("%v is no whole number", v)
}
