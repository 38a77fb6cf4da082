package mongodb

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// position is where the source was after a record. It is not changed once it was handed out.
type position struct {
	partition map[string]any
	// sec and ord are the cluster time of the last event, -1 where the token is not an event's.
	sec, ord int64
	token    bson.Raw // resumes after itself
	lsid     string   // of the event's transaction, as JSON; "" is none
	txn      int64
	// snapshot is how far it has come; nil where none is under way.
	snapshot *progress
	// blocked is how far a blocking snapshot has come, which incremental asks for; nil is not begun.
	blocked *progress
	// sent is how many records of the event after the token were sent already.
	sent        int64
	transaction debezium.TransactionState
	incremental incremental.State
	stored      map[string]any // what it was read from
}

// progress of a snapshot, which goes through the collections by name and each by _id.
type progress struct {
	ns namespace
	id bson.RawValue // the last one; the zero value is that of none in the collection yet
}

// Names in stored offsets; those of snapshots' progress and records_sent are ours, the others Debezium's.
const (
	secKey         = "sec"
	ordKey         = "ord"
	tokenKey       = "resume_token"
	lsidKey        = "lsid"
	txnKey         = "txnNumber"
	inSnapshotKey  = "initsync"
	snapshotOfKey  = "snapshot_collection"
	snapshotIDKey  = "snapshot_id"
	sentKey        = "records_sent"
	partitionKey   = "server_id"
	replicaSetKey  = "rs"
	clusterRSName  = "cluster"
	idField        = "_id"
	tokenDataField = "_data"
)

func newPosition(prefix string) *position {
	return &position{partition: map[string]any{partitionKey: prefix}, sec: -1, ord: -1}
}

// Partition implements plugin.Position.
func (p *position) Partition() map[string]any { return p.partition }

// Offset implements plugin.Position.
func (p *position) Offset() map[string]any {
	offset := map[string]any{secKey: p.sec, ordKey: p.ord}
	if p.token != nil {
		offset[tokenKey] = base64.StdEncoding.EncodeToString(p.token)
	}
	if p.lsid != "" {
		offset[lsidKey], offset[txnKey] = p.lsid, p.txn
	}
	if p.sent > 0 {
		offset[sentKey] = p.sent
	}
	if p.snapshot == nil {
		p.transaction.Put(offset)
		p.incremental.Put(offset)
		p.blocked.put(offset)
		return offset
	}
	offset[inSnapshotKey] = true
	p.snapshot.put(offset)
	return offset
}

func (p *progress) put(offset map[string]any) {
	if p == nil {
		return
	}
	if p.ns != (namespace{}) {
		offset[snapshotOfKey] = p.ns.String()
	}
	if !p.id.IsZero() {
		id, _ := bson.Marshal(bson.D{{Key: idField, Value: p.id}}) // a value that came from a document
		offset[snapshotIDKey] = base64.StdEncoding.EncodeToString(id)
	}
}

// within is a position after so many records of the event after p.
func (p *position) within(sent int64) *position {
	at := *p
	at.sent = sent
	return &at
}

// next is a position of the same partition without what only the event of p had.
func (p *position) next() *position { return &position{partition: p.partition, sec: -1, ord: -1} }

// readPosition understands a stored offset, also Debezium's.
func readPosition(prefix string, offset map[string]any) (*position, error) {
	p := newPosition(prefix)
	p.stored = offset
	var err error
	if p.sec, err = whole(offset, secKey); err != nil {
		return nil, err
	}
	if p.ord, err = whole(offset, ordKey); err != nil {
		return nil, err
	}
	if text, ok := offset[tokenKey].(string); ok {
		if p.token, err = readToken(text); err != nil {
			return nil, err
		}
	}
	if p.lsid, _ = offset[lsidKey].(string); p.lsid != "" {
		if p.txn, err = whole(offset, txnKey); err != nil {
			return nil, err
		}
	}
	if p.sent, err = whole(offset, sentKey); err != nil {
		return nil, err
	}
	if p.token == nil && p.sec < 0 {
		return nil, errors.New("the offset has neither resume_token nor sec and ord")
	}
	return p, p.readProgress(offset)
}

func (p *position) readProgress(offset map[string]any) (err error) {
	initial := false
	switch running := offset[inSnapshotKey].(type) {
	case nil:
	case bool:
		initial = running
	case string:
		initial = running == "true"
	default:
		return fmt.Errorf("%s is %v, not true or false", inSnapshotKey, running)
	}
	read, err := progressOf(offset)
	if initial {
		p.snapshot = read
	} else if read.ns != (namespace{}) {
		p.blocked = read
	}
	return err
}

// progressOf an offset, which is that of nothing where it has none.
func progressOf(offset map[string]any) (*progress, error) {
	p := &progress{}
	text, ok := offset[snapshotOfKey].(string)
	if !ok {
		return p, nil
	}
	if p.ns, ok = parseNamespace(text); !ok {
		return p, fmt.Errorf("%s is %q, not <database>.<collection>", snapshotOfKey, text)
	}
	if text, ok = offset[snapshotIDKey].(string); !ok {
		return p, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		p.id, err = bson.Raw(b).LookupErr(idField)
	}
	if err != nil {
		return p, fmt.Errorf("%s is no document in base64: %w", snapshotIDKey, err)
	}
	return p, nil
}

func whole(offset map[string]any, key string) (int64, error) {
	switch v := offset[key].(type) {
	case nil:
		return 0, nil
	case int64:
		return v, nil
	case int32:
		return int64(v), nil
	case int:
		return int64(v), nil
	case float64:
		if n := int64(v); float64(n) == v {
			return n, nil
		}
	case fmt.Stringer: // json.Number
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n, nil
		}
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%s is %v, not a whole number", key, offset[key])
}

// readToken of base64, or of the text that old versions of Debezium stored.
func readToken(text string) (bson.Raw, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil && bson.Raw(b).Validate() == nil {
		if _, err := bson.Raw(b).LookupErr(tokenDataField); err == nil {
			return b, nil
		}
	}
	if _, err := hex.DecodeString(text); err == nil && text != "" {
		return bson.Marshal(bson.D{{Key: tokenDataField, Value: text}})
	}
	return nil, fmt.Errorf("%s is no resume token: a document with %s in base64 is expected", tokenKey, tokenDataField)
}

// clusterTime is when the position was; the zero value where nobody knows.
func (p *position) clusterTime() bson.Timestamp {
	if p.sec > 0 {
		return bson.Timestamp{T: uint32(p.sec), I: uint32(p.ord)} //nolint:gosec // two 32-bit numbers of a BSON timestamp
	}
	return tokenTime(p.token)
}

// tokenTime reads what a token begins with: a type and eight bytes of cluster time.
func tokenTime(token bson.Raw) bson.Timestamp {
	const timestampType, size = 130, 9
	var b []byte
	if text, ok := token.Lookup(tokenDataField).StringValueOK(); ok && len(text) >= 2*size {
		b, _ = hex.DecodeString(text[:2*size])
	}
	if len(b) < size || b[0] != timestampType {
		return bson.Timestamp{}
	}
	be := func(b []byte) uint32 { return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]) }
	return bson.Timestamp{T: be(b[1:5]), I: be(b[5:9])}
}

// readTime is that of the last write that streaming from a snapshot's position does not show: one
// tick before it, as the server's clock has not come further where nothing was written since.
func (p *position) readTime() bson.Timestamp {
	ts := p.clusterTime()
	if ts.I == 0 {
		return bson.Timestamp{}
	}
	ts.I--
	return ts
}
