package keylog_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// entries collects what a log says.
type entries []any

func (e *entries) Group(id string, v *kmsg.GroupMetadataValue)         { *e = append(*e, id, v) }
func (e *entries) Offset(k keylog.OffsetKey, v *keylog.OffsetValue)    { *e = append(*e, k, v) }
func (e *entries) Pending(k keylog.PendingKey, v *keylog.PendingValue) { *e = append(*e, k, v) }
func (e *entries) Txn(id string, v *kmsg.TxnMetadataValue)             { *e = append(*e, id, v) }
func (e *entries) ProducerIDs(next int64)                              { *e = append(*e, next) }

var (
	offsetKey   = keylog.OffsetKey{Group: "g", Topic: "t", Partition: 7}
	offsetValue = keylog.OffsetValue{Offset: 5, LeaderEpoch: 3, Metadata: "m", Committed: 9, Expires: -1}
	expiring    = keylog.OffsetValue{Offset: 5, LeaderEpoch: -1, Metadata: "m", Committed: 9, Expires: 11}
	pendingKey  = keylog.PendingKey{ProducerID: 4000, OffsetKey: offsetKey}
)

func groupRecords() []keylog.Record {
	value := kmsg.NewGroupMetadataValue()
	value.ProtocolType, value.Generation = "consumer", 3
	return []keylog.Record{
		keylog.Offset(offsetKey, &offsetValue), keylog.Offset(offsetKey, &expiring), keylog.Offset(offsetKey, nil),
		keylog.Pending(pendingKey, &keylog.PendingValue{ProducerEpoch: 2, OffsetValue: offsetValue}), keylog.Pending(pendingKey, nil),
		keylog.Group("g", &value), keylog.Group("g", nil),
	}
}

func txnRecords() []keylog.Record {
	value := kmsg.NewTxnMetadataValue()
	value.ProducerID, value.State = 4000, 1
	return []keylog.Record{keylog.Txn("x", &value), keylog.Txn("x", nil), keylog.ProducerIDs(2000)}
}

func (e *entries) ACL(rule keylog.ACL, there bool)               { *e = append(*e, rule, there) }
func (e *entries) SCRAM(k keylog.SCRAMKey, v *keylog.SCRAMValue) { *e = append(*e, k, v) }

func TestReadsSecurity(t *testing.T) {
	rule := keylog.ACL{ResourceType: 2, PatternType: 3, Operation: 4, Permission: 3, Name: "t", Principal: "User:a", Host: "*"}
	key := keylog.SCRAMKey{User: "a", Mechanism: 2}
	value := &keylog.SCRAMValue{Iterations: 4096, Salt: []byte("s"), StoredKey: []byte("stored"), ServerKey: []byte("server")}
	records := []keylog.Record{
		keylog.AccessRule(rule, true), keylog.AccessRule(rule, false), keylog.SCRAM(key, value), keylog.SCRAM(key, nil),
	}
	var got entries
	for _, r := range records {
		if err := keylog.ReadSecurity(r, &got); err != nil {
			t.Fatal(err)
		}
		everyCut(r, func(cut keylog.Record) { _ = keylog.ReadSecurity(cut, new(entries)) })
	}
	want := entries{rule, true, rule, false, key, value, key, (*keylog.SCRAMValue)(nil)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
}

func TestReadsWhatItWrites(t *testing.T) {
	var got entries
	for _, r := range groupRecords() {
		if err := keylog.ReadGroup(r, &got); err != nil {
			t.Fatal(err)
		}
	}
	want := entries{
		offsetKey, &offsetValue, offsetKey, &expiring, offsetKey, (*keylog.OffsetValue)(nil),
		pendingKey, &keylog.PendingValue{ProducerEpoch: 2, OffsetValue: offsetValue}, pendingKey, (*keylog.PendingValue)(nil),
	}
	if !reflect.DeepEqual(got[:len(want)], want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	if v := got[len(want)+1].(*kmsg.GroupMetadataValue); v.Generation != 3 || got[len(want)+3] != (*kmsg.GroupMetadataValue)(nil) {
		t.Errorf("group read as %+v", v)
	}
	got = nil
	for _, r := range txnRecords() {
		if err := keylog.ReadTxn(r, &got); err != nil {
			t.Fatal(err)
		}
	}
	if v := got[1].(*kmsg.TxnMetadataValue); v.ProducerID != 4000 || got[4] != int64(2000) {
		t.Errorf("read %+v", got)
	}
}

// TestKeysAreKafkas holds the bytes to those that Kafka's OffsetKey,
// GroupMetadataKey and TransactionLogKey have.
func TestKeysAreKafkas(t *testing.T) {
	for _, tt := range []struct {
		record keylog.Record
		want   string
	}{
		{keylog.Offset(offsetKey, nil), "0001" + "000167" + "000174" + "00000007"},
		{keylog.Group("g", nil), "0002" + "000167"},
		{keylog.Txn("x", nil), "0000" + "000178"},
	} {
		if got := hex.EncodeToString(tt.record.Key); got != tt.want {
			t.Errorf("key %s, want %s", got, tt.want)
		}
	}
}

func TestBadRecordsAreErrors(t *testing.T) {
	for _, r := range groupRecords() {
		everyCut(r, func(cut keylog.Record) { _ = keylog.ReadGroup(cut, new(entries)) })
	}
	for _, r := range txnRecords() {
		everyCut(r, func(cut keylog.Record) { _ = keylog.ReadTxn(cut, new(entries)) })
	}
	unknown := keylog.Record{Key: []byte{0, 99, 0, 0}}
	if err := keylog.ReadGroup(unknown, new(entries)); !errors.Is(err, keylog.ErrUnknown) {
		t.Errorf("unknown key: %v", err)
	}
	newer := keylog.Offset(offsetKey, &offsetValue)
	newer.Value[1] = 9
	if err := keylog.ReadGroup(newer, new(entries)); !errors.Is(err, keylog.ErrUnknown) {
		t.Errorf("newer value: %v", err)
	}
}

// everyCut calls read with every beginning of key and of value.
func everyCut(r keylog.Record, read func(keylog.Record)) {
	for i := range r.Key {
		read(keylog.Record{Key: r.Key[:i], Value: r.Value})
	}
	for i := range r.Value {
		read(keylog.Record{Key: r.Key, Value: r.Value[:i]})
	}
}

func TestBatchIsWholeOrNothing(t *testing.T) {
	records := append(groupRecords(), keylog.Record{Key: []byte("empty"), Value: []byte{}})
	b := keylog.AppendBatch(nil, records, time.UnixMilli(1700000000000))
	got, rest, err := keylog.ReadBatch(append(bytes.Clone(b), "tail"...))
	if err != nil || !reflect.DeepEqual(got, records) || string(rest) != "tail" {
		t.Fatalf("read %v, rest %q, %v", got, rest, err)
	}
	for i := range b {
		if _, _, err := keylog.ReadBatch(b[:i]); !errors.Is(err, keylog.ErrDamaged) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		if i < 8 || i >= 12 && i < 16 {
			continue // the base offset and leader epoch are not the writer's
		}
		flipped := bytes.Clone(b)
		flipped[i] ^= 0x10
		if _, _, err := keylog.ReadBatch(flipped); !errors.Is(err, keylog.ErrDamaged) {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
	}
}

func TestBatchIsKafkas(t *testing.T) {
	b := keylog.AppendBatch(nil, txnRecords(), time.UnixMilli(1700000000000))
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(b); err != nil {
		t.Fatal(err)
	}
	if batch.NumRecords != 3 || batch.LastOffsetDelta != 2 || batch.ProducerID != -1 || batch.Magic != 2 || batch.MaxTimestamp != 1700000000000 {
		t.Errorf("batch %+v", batch)
	}
	first := kmsg.NewRecord()
	if err := first.ReadFrom(batch.Records[:1+int(batch.Records[0])/2]); err != nil {
		// Records longer than 63 bytes have a longer length; read generously.
		err = first.ReadFrom(batch.Records)
		if first.Key == nil {
			t.Error(err)
		}
	}
	if !bytes.Equal(first.Key, txnRecords()[0].Key) {
		t.Errorf("first key %x", first.Key)
	}
}

func TestCompactKeepsTheLast(t *testing.T) {
	record := func(k, v string) keylog.Record {
		if v == "" {
			return keylog.Record{Key: []byte(k)}
		}
		return keylog.Record{Key: []byte(k), Value: []byte(v)}
	}
	log := []keylog.Record{record("a", "1"), record("b", "1"), record("a", "2"), record("b", "")}
	if got := keylog.Compact(log, false); !reflect.DeepEqual(got, log[2:]) {
		t.Errorf("kept %v", got)
	}
	if got := keylog.Compact(log, true); !reflect.DeepEqual(got, log[2:3]) {
		t.Errorf("kept %v", got)
	}
}
