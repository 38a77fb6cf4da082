package projection_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
)

// memStore is a Store in memory, with a view of a text per entity. One transaction
// runs at a time, on a copy of everything.
type memStore struct {
	mu      sync.Mutex
	now     memState
	beats   map[string]map[string]time.Time
	epoch   int64
	refuse  func() error // of commits
	commits int
}

type memState struct {
	text    map[string]string
	letters []outbox.Message
	offsets map[string]map[string]projection.Offset
	ranges  map[string][]projection.StoredRange
	paused  map[string]bool
}

func (s memState) clone() memState {
	c := memState{text: maps.Clone(s.text), letters: slices.Clone(s.letters), paused: maps.Clone(s.paused)}
	c.offsets, c.ranges = map[string]map[string]projection.Offset{}, map[string][]projection.StoredRange{}
	for name, all := range s.offsets {
		c.offsets[name] = maps.Clone(all)
	}
	for name, all := range s.ranges {
		c.ranges[name] = slices.Clone(all)
	}
	return c
}

func newMemStore() *memStore {
	return &memStore{beats: map[string]map[string]time.Time{}, now: memState{text: map[string]string{}, paused: map[string]bool{}}.clone()}
}

// memTx is its transaction.
type memTx struct{ state *memState }

var errTransient = errors.New("the database is away")

func (s *memStore) Transient(err error) bool { return errors.Is(err, errTransient) }

func (s *memStore) Update(ctx context.Context, fn func(*memTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.now.clone()
	if err := fn(&memTx{&next}); err != nil {
		return err
	}
	if s.refuse != nil {
		if err := s.refuse(); err != nil {
			return err
		}
	}
	s.now = next
	s.commits++
	return nil
}

func (tx *memTx) InsertOutbox(_ context.Context, messages []outbox.Message) error {
	tx.state.letters = append(tx.state.letters, messages...)
	return nil
}

func (tx *memTx) concat(id, text string) {
	if was := tx.state.text[id]; was != "" {
		text = was + "|" + text
	}
	tx.state.text[id] = text
}

func (tx *memTx) SaveOffsets(_ context.Context, claim projection.Claim, offsets []projection.Offset, cursor journal.Cursor) error {
	last, err := projection.LastOffsets(claim, offsets)
	if err != nil {
		return err
	}
	ranges := tx.state.ranges[claim.Projection]
	at := slices.IndexFunc(ranges, func(r projection.StoredRange) bool { return r.Slices == claim.Slices && r.Epoch == claim.Epoch })
	if at < 0 {
		return projection.ErrFenced
	}
	ranges[at].Saved = time.Now()
	if cursor != nil {
		ranges[at].Cursor = cursor
	}
	if tx.state.offsets[claim.Projection] == nil {
		tx.state.offsets[claim.Projection] = map[string]projection.Offset{}
	}
	for _, o := range last {
		tx.state.offsets[claim.Projection][o.PersistenceID] = o
	}
	return nil
}

func (s *memStore) ClaimSlices(_ context.Context, name, _ string, slices journal.SliceRange, start journal.Cursor) (projection.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cut, err := projection.CutRanges(s.now.ranges[name], slices, start, earlierMemCursor)
	if err != nil {
		return projection.Claim{}, err
	}
	s.epoch++
	kept := []projection.StoredRange{{Slices: slices, Epoch: s.epoch, Cursor: cut.Cursor}}
	for _, r := range cut.Taken {
		if r.Saved.After(kept[0].Saved) {
			kept[0].Saved = r.Saved
		}
	}
	for _, r := range s.now.ranges[name] {
		if !r.Slices.Overlaps(slices) {
			kept = append(kept, r)
		}
	}
	s.now.ranges[name] = append(kept, cut.Left...)
	return projection.Claim{Projection: name, Slices: slices, Epoch: s.epoch, Cursor: cut.Cursor}, nil
}

func (s *memStore) Offsets(_ context.Context, claim projection.Claim, limit int) ([]projection.Offset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []projection.Offset
	for _, o := range s.now.offsets[claim.Projection] {
		if claim.Slices.Contains(o.Slice) {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b projection.Offset) int { return b.Time.Compare(a.Time) })
	return all[:min(limit, len(all))], nil
}

func (s *memStore) OffsetsOf(_ context.Context, claim projection.Claim, ids []string) ([]projection.Offset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]projection.Offset, len(ids))
	for n, id := range ids {
		all[n] = s.now.offsets[claim.Projection][id]
		all[n].PersistenceID = id
	}
	return all, nil
}

func (s *memStore) TrimOffsets(context.Context, projection.Claim, time.Time) (int64, error) {
	return 0, nil
}

func (s *memStore) Beat(_ context.Context, name, worker string, ttl time.Duration) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beats[name] == nil {
		s.beats[name] = map[string]time.Time{}
	}
	s.beats[name][worker] = time.Now().Add(ttl)
	var alive []string
	for w, until := range s.beats[name] {
		if time.Now().Before(until) {
			alive = append(alive, w)
		}
	}
	slices.Sort(alive)
	return alive, nil
}

func (s *memStore) Paused(_ context.Context, name string, _ journal.SliceRange) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.paused[name], nil
}

func (s *memStore) SetPaused(_ context.Context, name string, paused bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.paused[name] = paused
	return nil
}

func (s *memStore) Projections(_ context.Context, name string) ([]projection.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []projection.Stored
	for n, ranges := range s.now.ranges {
		if name == "" || n == name {
			all = append(all, projection.Stored{Name: n, Ranges: slices.Clone(ranges)})
		}
	}
	slices.SortFunc(all, func(a, b projection.Stored) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func (s *memStore) Reset(_ context.Context, name string, after journal.Cursor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.now.offsets, name)
	for n := range s.now.ranges[name] {
		s.now.ranges[name][n].Cursor, s.now.ranges[name][n].Epoch, s.now.ranges[name][n].Saved = after, 0, time.Time{}
	}
	return nil
}

func (s *memStore) Forget(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.now.offsets, name)
	delete(s.now.ranges, name)
	return nil
}

// onMemory is the backend of the conformance cases.
func onMemory(*testing.T) backend[*memTx] {
	s := newMemStore()
	return backend[*memTx]{
		store: s,
		concat: func(_ context.Context, tx *memTx, id, text string) error {
			tx.concat(id, text)
			return nil
		},
		text: func(id string) string {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.now.text[id]
		},
		letters: func() []outbox.Message {
			s.mu.Lock()
			defer s.mu.Unlock()
			return slices.Clone(s.now.letters)
		},
	}
}

// seqNrs is the last offsets of a projection, for comparing.
func seqNrs[T projection.Tx](t *testing.T, store projection.Store[T], name string, ids ...string) string {
	t.Helper()
	all, err := store.OffsetsOf(t.Context(), projection.Claim{Projection: name, Slices: journal.AllSlices()}, ids)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]int64{}
	for _, o := range all {
		of[o.PersistenceID] = o.SeqNr
	}
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(id + ":" + string(rune('0'+of[id])) + " ")
	}
	return strings.TrimSpace(b.String())
}
