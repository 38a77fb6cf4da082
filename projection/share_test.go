package projection

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

func TestShare(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 100, 1024, 1500} {
		var alive []string
		for i := range n {
			alive = append(alive, fmt.Sprintf("w%05d", i))
		}
		next := 0
		for i, w := range alive {
			r, ok := share(alive, w)
			if ok != (i < journal.Slices) {
				t.Fatalf("worker %d of %d: %t", i, n, ok)
			}
			if !ok {
				continue
			}
			size := r.Max - r.Min + 1
			if r.Min != next || n <= journal.Slices && (size < journal.Slices/n || size > journal.Slices/n+1) {
				t.Fatalf("worker %d of %d has %s, want from %d, even", i, n, r, next)
			}
			next = r.Max + 1
		}
		if next != journal.Slices {
			t.Errorf("%d workers have the slices up to %d", n, next)
		}
	}
	if _, ok := share([]string{"a", "c"}, "b"); ok {
		t.Error("a worker that is not alive has slices")
	}
}

// A model of workers that come, go, hear of each other late, and claim, read and
// commit in any order; offsets are trimmed as far as all cursors have passed.
func TestRecuttingModel(t *testing.T) {
	for range 300 {
		seed := rand.Uint64()
		m := newModel(seed)
		for range 400 {
			m.step()
		}
		m.settle()
		if m.wrong != "" {
			t.Fatalf("seed %d: %s", seed, m.wrong)
		}
	}
}

type model struct {
	random  *rand.Rand
	log     []journal.Event // a cursor is how many of it are passed
	numbers map[string]int64
	ranges  []StoredRange
	epoch   int64
	offsets map[string]known
	placeOf map[string]int // in the log, of the offset's event
	handled map[string]int64
	alive   []string
	workers map[string]*modelWorker
	joined  int
	wrong   string
}

type modelWorker struct {
	name  string
	heard []string // of who is alive
	claim *Claim
	at    int // read up to there
	last  map[string]known
}

func newModel(seed uint64) *model {
	return &model{
		random: rand.New(rand.NewPCG(seed, 1)), numbers: map[string]int64{}, offsets: map[string]known{}, placeOf: map[string]int{},
		handled: map[string]int64{}, workers: map[string]*modelWorker{},
	}
}

func (m *model) step() {
	switch m.random.IntN(20) {
	case 0:
		m.join()
	case 1:
		m.leave()
	case 2, 3, 4, 5:
		m.append()
	case 6:
		m.trim()
	default:
		if len(m.alive) > 0 {
			m.act(m.workers[m.alive[m.random.IntN(len(m.alive))]])
		}
	}
}

func (m *model) join() {
	m.joined++
	name := fmt.Sprintf("w%03d", m.random.IntN(1000))
	if m.workers[name] != nil || len(m.alive) > 6 {
		return
	}
	m.workers[name] = &modelWorker{name: name}
	m.alive = append(m.alive, name)
	slices.Sort(m.alive)
}

// leave is a crash or a farewell: of the worker nothing is left but what is stored.
func (m *model) leave() {
	if len(m.alive) == 0 {
		return
	}
	n := m.random.IntN(len(m.alive))
	delete(m.workers, m.alive[n])
	m.alive = slices.Delete(m.alive, n, n+1)
}

func (m *model) append() {
	id := fmt.Sprintf("p%d", m.random.IntN(40))
	m.numbers[id]++
	m.log = append(m.log, journal.Event{PersistenceID: id, SeqNr: m.numbers[id], Time: time.UnixMicro(int64(len(m.log)))})
}

// trim forgets offsets of events that every cursor has passed.
func (m *model) trim() {
	passed := len(m.log)
	covered := 0
	for _, r := range m.ranges {
		n, err := modelPlace(r.Cursor)
		if err != nil {
			m.wrong = err.Error()
		}
		passed = min(passed, n)
		covered += r.Slices.Max - r.Slices.Min + 1
	}
	if covered < journal.Slices {
		return
	}
	for id, place := range m.placeOf {
		if place < passed {
			delete(m.offsets, id)
			delete(m.placeOf, id)
		}
	}
}

func (m *model) act(w *modelWorker) {
	switch m.random.IntN(4) {
	case 0:
		w.heard = slices.Clone(m.alive)
	case 1:
		m.claim(w)
	default:
		m.commit(w, 1+m.random.IntN(5))
	}
}

// claim takes what the worker thinks is its own.
func (m *model) claim(w *modelWorker) {
	target, ok := share(w.heard, w.name)
	if !ok || w.claim != nil && w.claim.Slices == target {
		return
	}
	cut, err := CutRanges(m.ranges, target, nil, func(a, b journal.Cursor) (journal.Cursor, error) {
		x, err1 := modelPlace(a)
		y, err2 := modelPlace(b)
		return modelCursor(min(x, y)), cmp.Or(err1, err2)
	})
	if err != nil {
		m.wrong = err.Error()
		return
	}
	m.epoch++
	m.ranges = slices.DeleteFunc(m.ranges, func(r StoredRange) bool { return r.Slices.Overlaps(target) })
	m.ranges = append(append(m.ranges, cut.Left...), StoredRange{Slices: target, Epoch: m.epoch, Cursor: cut.Cursor})
	w.claim = &Claim{Slices: target, Epoch: m.epoch, Cursor: cut.Cursor}
	if w.at, err = modelPlace(cut.Cursor); err != nil {
		m.wrong = err.Error()
	}
	w.last = map[string]known{}
	for id, k := range m.offsets {
		if target.Contains(journal.SliceOf(id)) {
			w.last[id] = k
		}
	}
}

// commit reads some events and handles them in a transaction.
func (m *model) commit(w *modelWorker, n int) {
	if w.claim == nil {
		return
	}
	at := slices.IndexFunc(m.ranges, func(r StoredRange) bool { return r.Epoch == w.claim.Epoch && r.Slices == w.claim.Slices })
	if at < 0 { // fenced
		w.claim = nil
		return
	}
	saved := w.at
	for ; w.at < len(m.log) && n > 0; w.at++ {
		e := m.log[w.at]
		if !w.claim.Slices.Contains(journal.SliceOf(e.PersistenceID)) {
			continue
		}
		n--
		if v, _ := judge(journal.Events, w.last[e.PersistenceID], m.passed(saved, e), e.SeqNr, e.Time); v == duplicate {
			continue
		} else if v == gap {
			m.wrong = fmt.Sprintf("a gap before %s %d, known %v", e.PersistenceID, e.SeqNr, w.last[e.PersistenceID])
		}
		if m.handled[e.PersistenceID]++; m.handled[e.PersistenceID] != e.SeqNr {
			m.wrong = fmt.Sprintf("%s %d was handled as the %d. of the entity", e.PersistenceID, e.SeqNr, m.handled[e.PersistenceID])
		}
		w.last[e.PersistenceID] = known{e.SeqNr, e.Time}
		m.offsets[e.PersistenceID], m.placeOf[e.PersistenceID] = w.last[e.PersistenceID], w.at
	}
	m.ranges[at].Cursor = modelCursor(w.at)
}

func (m *model) passed(cursor int, of journal.Event) (n int64) {
	for _, e := range m.log[:cursor] {
		if e.PersistenceID == of.PersistenceID && e.SeqNr <= of.SeqNr {
			n = e.SeqNr
		}
	}
	return n
}

// settle lets everybody hear of everybody: each slice ends with one worker, and all
// is handled.
func (m *model) settle() {
	if len(m.alive) == 0 {
		m.join()
	}
	for range 2 {
		for _, name := range m.alive {
			w := m.workers[name]
			w.heard = slices.Clone(m.alive)
			m.commit(w, 0) // notices that it was fenced
			m.claim(w)
		}
	}
	for _, w := range m.workers {
		m.commit(w, len(m.log))
	}
	for id, n := range m.numbers {
		if m.handled[id] != n && m.wrong == "" {
			m.wrong = fmt.Sprintf("of %s %d events of %d were handled", id, m.handled[id], n)
		}
	}
	if len(m.ranges) != len(m.alive) && m.wrong == "" {
		m.wrong = fmt.Sprintf("%d ranges for %d workers", len(m.ranges), len(m.alive))
	}
}

func modelCursor(n int) journal.Cursor { return journal.Cursor(fmt.Sprint(n)) }

func modelPlace(c journal.Cursor) (n int, err error) {
	if c == nil {
		return 0, nil
	}
	_, err = fmt.Sscan(string(c), &n)
	return n, err
}
