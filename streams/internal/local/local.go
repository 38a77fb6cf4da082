// Package local keeps the bytes of a process's stores: on disk in one Pebble database
// without a write-ahead log, or in memory. A store's contents and the offset of its
// changelog up to which they go change in one atomic batch, so that whatever a crash
// leaves is a prefix of the changelog, and restoring goes on from there.
package local

import (
	"errors"
	"iter"
	"time"
)

// Errors of the database.
var (
	// ErrLocked: another process uses the folder.
	ErrLocked = errors.New("the folder is in use by another process")
	// ErrCorrupt: bytes are not what was written. Clear the space and restore it.
	ErrCorrupt = errors.New("the store is corrupt")
	// ErrFull: the disk is full.
	ErrFull = errors.New("the disk is full")
)

// TaskID is a sub-topology and a partition. Global stores have partition -1.
type TaskID struct {
	Sub       int32
	Partition int32
}

// Reader reads one moment of a space. Slices it returns are the caller's.
type Reader interface {
	// Get appends the value to dst; false where there is none.
	Get(key, dst []byte) ([]byte, bool, error)
	// Scan yields the keys from <= key < to in order of their bytes, or in reverse; nil
	// bounds are the ends. The slices are valid until the next iteration.
	Scan(from, to []byte, reverse bool) iter.Seq2[Pair, error]
}

// Pair is a key with its value.
type Pair struct{ Key, Value []byte }

// Space is the keyspace of one store of one task. Its own Reader sees the latest batch.
// It is safe for use by many goroutines; only one makes batches of it at a time.
type Space interface {
	Reader
	// Snapshot is the present moment, until it is closed.
	Snapshot() (Snapshot, error)
	// Offset is the next one of the changelog to be restored; false for a space that
	// was never written.
	Offset() (int64, bool)
	// Mark is what is known of the changelog besides.
	Mark() Mark
	// Follow notes the id of the changelog's topic, to be kept with what is noted next.
	Follow(topic TopicID)
	// Clear deletes everything, offset and Mark too, at once and for good.
	Clear() error
	// Size estimates the bytes it takes.
	Size() int64
	// Keys estimates the number of keys; -1 where that is unknown.
	Keys() int64
}

// TopicID is Kafka's of a topic; one that is deleted and made anew gets another. Zero is not known.
type TopicID [16]byte

// Mark is what a space has noted of its changelog beside the offset.
type Mark struct {
	Topic TopicID
	// AsOf is when it last was known to have all of the changelog, or began to be filled from
	// the beginning; zero is not known. What was deleted since then may leave no trace.
	AsOf time.Time
}

// Snapshot is a Reader that must be closed.
type Snapshot interface {
	Reader
	Close() error
}

// Batch gathers changes of spaces of one database and makes them in one atomic step.
type Batch interface {
	Set(s Space, key, value []byte)
	Delete(s Space, key []byte)
	// DeleteRange deletes from <= key < to.
	DeleteRange(s Space, from, to []byte)
	// SetOffset notes up to where the changelog is contained.
	SetOffset(s Space, next int64)
	// SetAsOf notes Mark.AsOf, of a space that has an offset. Else it stays as it was.
	SetAsOf(s Space, at time.Time)
	// Bytes gathered so far.
	Bytes() int
	// Commit makes the changes; ErrFull, ErrCorrupt or another error, after which none
	// is made. The batch is empty afterwards and can be filled again.
	Commit() error
	// Close gives the batch up.
	Close()
}
