// Package log keeps one partition: record batches exactly as they came, in segment
// files, with sparse indexes that can be rebuilt, producer state, and a checkpoint from
// which a log opens without reading what it holds.
//
// What is promised: offsets never go back and are never given twice; the log start
// never goes back; what a Sync or Checkpoint covered is there after a power cut; bytes
// that are damaged are kept under another name and told of in Report.
package log

import (
	"errors"
	"time"
)

// Errors of a log, beside those of packages batch, producer and vfs.
var (
	// ErrOffsetOutOfRange says that an offset is below the log start or past the end.
	ErrOffsetOutOfRange = errors.New("offset out of range")
	// ErrFailed says that an earlier write or sync failed, so that nothing more is
	// appended: nobody knows what the disk holds. Opening the log anew finds out.
	ErrFailed = errors.New("log has failed")
	// ErrClosed says that the log was closed.
	ErrClosed = errors.New("log is closed")
)

// maxBatch is the most bytes of one batch; a header that says more is damaged.
const maxBatch = 128 << 20

// Config is what a topic's settings say of its logs. The zero value is Kafka's default.
type Config struct {
	// SegmentBytes is when a new segment is begun (segment.bytes, default 1 GiB, at
	// most 2 GiB).
	SegmentBytes int64
	// SegmentAge is after how long a new one is begun (segment.ms, default 7 days).
	SegmentAge time.Duration
	// RetentionTime and RetentionBytes are how long and how much is kept (default 7
	// days, all; negative: all). They hold for topics that are not compacted only, and
	// for those that are both.
	RetentionTime  time.Duration
	RetentionBytes int64
	// Compact keeps the last record of each key; Delete says that retention applies
	// also. Neither is Delete alone.
	Compact, Delete bool
	// MinCompactionLag is how long records stay as they are (default 0).
	MinCompactionLag time.Duration
	// DeleteRetention is how long tombstones and markers stay after compaction saw
	// them (default 24 hours; negative: not at all).
	DeleteRetention time.Duration
	// ProducerExpiry is after how long an idle producer is forgotten (default 24 hours).
	ProducerExpiry time.Duration
	// LogAppendTime makes the broker's time that of the records.
	LogAppendTime bool
}

func (c Config) withDefaults() Config {
	const day = 24 * time.Hour
	if c.SegmentBytes <= 0 {
		c.SegmentBytes = 1 << 30
	}
	c.SegmentBytes = min(c.SegmentBytes, 1<<31-1)
	defaultTo(&c.SegmentAge, 7*day)
	defaultTo(&c.RetentionTime, 7*day)
	defaultTo(&c.DeleteRetention, day)
	defaultTo(&c.ProducerExpiry, day)
	if c.RetentionBytes == 0 {
		c.RetentionBytes = -1
	}
	c.DeleteRetention = max(c.DeleteRetention, 0)
	return c
}

func defaultTo(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// deletes says whether retention applies.
func (c Config) deletes() bool { return c.Delete || !c.Compact }
