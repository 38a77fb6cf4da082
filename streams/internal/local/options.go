package local

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// indexBytes of a block of a table's index: most tables have one, so that a read looks
// into one index and not into an index of indexes.
const indexBytes = 64 << 10

// pebbleOptions splits the memory: seven eighths are the cache of blocks together with the
// memory tables (one being filled, two that wait, a quarter each: larger ones make fewer
// compactions, and blocks are in the system's cache as well), for which Pebble reserves part
// of the cache while they are there. The rest is left to tables' handles
// and to what flushes and compactions need.
func pebbleOptions(memory int64, e *engine) *pebble.Options {
	files := int(min(max(memory/(128<<10), 64), 4096))
	o := &pebble.Options{
		FS:                 e.gate,
		Cache:              pebble.NewCache(memory / 8 * 7),
		FileCache:          pebble.NewFileCache(runtime.GOMAXPROCS(0), pebble.FileCacheSize(files)),
		MemTableSize:       uint64(memory / 4),
		MaxOpenFiles:       files,
		DisableWAL:         true, // a changelog is one
		FormatMajorVersion: pebble.FormatValueSeparation,
		Logger:             pebbleLog{e},
		EventListener:      e.listener(),
		// The flusher holds commits back: Pebble would do it without an end.
		MemTableStopWritesThreshold: 1 << 20,
		L0StopWritesThreshold:       1 << 20,
	}
	tuneLevels(o)
	return o
}

// tuneLevels is for reads of single keys. To decompress a block takes longer than to read
// it from the system's cache. Pebble does not use filters of the last level to get a
// key, so there are none.
func tuneLevels(o *pebble.Options) {
	last := len(o.Levels) - 1
	for i := range o.Levels {
		l := &o.Levels[i]
		l.IndexBlockSize = indexBytes
		l.Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
		l.FilterPolicy = bloom.FilterPolicy(10)
		if i == last {
			l.FilterPolicy = pebble.NoFilterPolicy
		}
	}
}

// listener is called with Pebble's locks held: it only notes.
func (e *engine) listener() *pebble.EventListener {
	return &pebble.EventListener{
		DataCorruption:  func(i pebble.DataCorruptionInfo) { e.die(fmt.Errorf("%w: %s: %w", ErrCorrupt, i.Path, i.Details)) },
		BackgroundError: func(err error) { e.failed(err) },
		FlushEnd: func(i pebble.FlushInfo) {
			if i.Err == nil || i.Err.Error() != emptyFlush {
				e.flusher.flushTrouble.Store(e.trouble(i.Err))
			}
			e.flusher.changed.Store(true)
		},
		CompactionEnd: func(i pebble.CompactionInfo) {
			e.flusher.compactTrouble.Store(e.trouble(i.Err))
			e.flusher.changed.Store(true)
		},
	}
}

// emptyFlush is what Pebble says of a flush that had nothing to do.
const emptyFlush = "pebble: empty table"

func (e *engine) trouble(err error) *error {
	if err == nil || errors.Is(err, pebble.ErrCancelledCompaction) {
		return nil
	}
	err = e.failed(err)
	return &err
}

// pebbleLog takes what Pebble ends the process for. It must return: the engine is dead
// from then on.
type pebbleLog struct{ engine *engine }

func (pebbleLog) Infof(string, ...any)  {}
func (pebbleLog) Errorf(string, ...any) {}

func (l pebbleLog) Fatalf(format string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok {
			l.engine.die(failure(err))
			return
		}
	}
	l.engine.die(fmt.Errorf("the stores' database failed: "+format, args...))
}
