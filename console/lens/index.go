package lens

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// index holds entries in blocks: the open one in memory (and stored now and then),
// sealed ones in the file with a filter each in memory.
type index struct {
	config Config
	store  *store

	mu     sync.RWMutex
	sealed []block // in the order they were read
	open   openBlock
	events int64
	bytes  int64
	cache  blockCache
}

// block is a sealed one.
type block struct {
	id          int64
	events      int64
	bytes       int64
	first, last int64 // earliest and latest timestamp of its records
	filter      filter
}

// openBlock is appended to; entries that are there never change.
type openBlock struct {
	id          int64
	entries     []entry
	bytes       int64 // estimated
	opened      time.Time
	first, last int64
	stored      int // entries that are in the file
}

func openIndex(ctx context.Context, file string, config Config) (*index, error) {
	s, err := openStore(ctx, file, config)
	if err != nil {
		return nil, err
	}
	ix := &index{config: config, store: s}
	if err := ix.load(ctx); err != nil {
		s.db.Close()
		return nil, err
	}
	return ix, nil
}

func (ix *index) load(ctx context.Context) (err error) {
	if ix.sealed, err = ix.store.blocks(ctx); err != nil {
		return err
	}
	next := int64(1)
	for _, b := range ix.sealed {
		ix.events += b.events
		ix.bytes += b.bytes
		next = b.id + 1
	}
	ix.open = openBlock{id: next}
	return nil
}

func (ix *index) close() error { return ix.store.db.Close() }

// entryBytes is what an entry of the open block is taken to need in the file.
const entryBytes = 64

// add appends entries; Flush stores them.
func (ix *index) add(entries []entry) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for i := range entries {
		at := entries[i].at
		if len(ix.open.entries) == 0 {
			ix.open.first, ix.open.last, ix.open.opened = at, at, ix.config.Clock()
		}
		ix.open.first, ix.open.last = min(ix.open.first, at), max(ix.open.last, at)
		ix.open.entries = append(ix.open.entries, entries[i])
	}
	ix.events += int64(len(entries))
	ix.open.bytes += int64(len(entries)) * entryBytes
	ix.bytes += int64(len(entries)) * entryBytes
}

// full says that the open block should be sealed.
func (ix *index) full() bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.complete(&ix.open)
}

// blockShare is the part of the window after which a block is complete, however few
// events it has: whole blocks leave the index.
const blockShare = 24

func (ix *index) complete(b *openBlock) bool {
	return len(b.entries) >= blockEvents || len(b.entries) > 0 && ix.config.Clock().Sub(b.opened) > ix.config.Window/blockShare
}

// overfull says that the file takes no more, so that reading must wait.
func (ix *index) overfull() bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return len(ix.open.entries) >= 4*blockEvents
}

// flush stores the open block together with what the reader has come to, and
// deletes what is too old or too much, a bounded number of blocks. Only the
// reader's goroutine calls it.
func (ix *index) flush(ctx context.Context, p progress) error {
	ix.mu.RLock()
	open := ix.open
	old := ix.surplus()
	ix.mu.RUnlock()
	b := block{id: open.id, events: int64(len(open.entries)), first: open.first, last: open.last}
	var data []byte
	if len(open.entries) > open.stored || ix.complete(&open) {
		data, b.filter = encode(open.entries), newFilter(open.entries)
		b.bytes = int64(len(data) + len(b.filter))
	}
	if err := ix.store.write(ctx, b, data, old, p); err != nil {
		return err
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.forget(old)
	if data == nil {
		return nil
	}
	ix.bytes += b.bytes - ix.open.bytes
	ix.open.bytes, ix.open.stored = b.bytes, len(open.entries)
	if ix.complete(&open) {
		ix.sealed = append(ix.sealed, b)
		ix.open = openBlock{id: b.id + 1}
	}
	return nil
}

// trimStep is how many blocks a flush deletes at most.
const trimStep = 16

// surplus are ids of blocks to be deleted.
func (ix *index) surplus() (ids []int64) {
	events, bytes := ix.events, ix.bytes
	oldest := ix.config.Clock().Add(-ix.config.Window).UnixMicro()
	for _, b := range ix.sealed {
		if len(ids) == trimStep || b.last >= oldest && events <= ix.config.MaxEvents && bytes <= ix.config.MaxBytes {
			break
		}
		ids = append(ids, b.id)
		events -= b.events
		bytes -= b.bytes
	}
	return ids
}

func (ix *index) forget(ids []int64) {
	for _, b := range ix.sealed[:len(ids)] {
		ix.events -= b.events
		ix.bytes -= b.bytes
		ix.cache.drop(b.id)
	}
	ix.sealed = slices.Delete(ix.sealed, 0, len(ids))
}

// clear forgets everything: the cluster is another one.
func (ix *index) clear(ctx context.Context, cluster string) error {
	if err := ix.store.clear(ctx, cluster); err != nil {
		return err
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.sealed, ix.open, ix.events, ix.bytes, ix.cache = nil, openBlock{id: ix.open.id + 1}, 0, 0, blockCache{}
	return nil
}

func (ix *index) state() api.LensState {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	s := api.LensState{Events: ix.events, Bytes: ix.bytes}
	oldest := int64(0)
	for _, b := range ix.sealed {
		if oldest == 0 || b.first < oldest {
			oldest = b.first
		}
	}
	if len(ix.open.entries) > 0 && (oldest == 0 || ix.open.first < oldest) {
		oldest = ix.open.first
	}
	s.Oldest = timeOf(oldest)
	return s
}

// scan calls fn with the entries of each block, the newest block first, until it
// returns false. where, if not nil, leaves out blocks by their filter.
func (ix *index) scan(ctx context.Context, where func(filter) bool, fn func([]entry) bool) error {
	ix.mu.RLock()
	open := ix.open.entries
	sealed := slices.Clone(ix.sealed)
	ix.mu.RUnlock()
	if len(open) > 0 && !fn(open) {
		return nil
	}
	for _, b := range slices.Backward(sealed) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if where != nil && !where(b.filter) {
			continue
		}
		entries, err := ix.read(ctx, b.id)
		if err != nil {
			return err
		}
		if !fn(entries) {
			return nil
		}
	}
	return nil
}

// read returns a sealed block; none where it was deleted meanwhile.
func (ix *index) read(ctx context.Context, id int64) ([]entry, error) {
	ix.mu.Lock()
	entries, ok := ix.cache.get(id)
	ix.mu.Unlock()
	if ok {
		return entries, nil
	}
	entries, err := ix.store.block(ctx, id)
	if err != nil {
		return nil, err
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.cache.put(id, entries)
	return entries, nil
}

// mostFound bounds a lookup.
const mostFound = 10_000

// find returns entries that have one of the names, the newest block's first.
func (ix *index) find(ctx context.Context, names ...string) (found []entry, err error) {
	err = ix.scan(ctx,
		func(f filter) bool { return slices.ContainsFunc(names, f.has) },
		func(entries []entry) bool {
			for i := len(entries) - 1; i >= 0 && len(found) < mostFound; i-- {
				for _, name := range entries[i].names() {
					if name != "" && slices.Contains(names, name) {
						found = append(found, entries[i])
						break
					}
				}
			}
			return len(found) < mostFound
		})
	return found, err
}

// since is the timestamp from which on records are indexed.
func (ix *index) since() time.Time { return ix.config.Clock().Add(-ix.config.Window) }
