package killtest

import "sync"

// versionBook is of a compacted topic whose keys have one writer each. It is safe for
// concurrent use.
type versionBook struct {
	mu   sync.Mutex
	keys map[string][]version
}

// version is the nth record of a key, from 1.
type version struct {
	outcome   outcome
	tombstone bool
}

func newVersionBook() *versionBook { return &versionBook{keys: map[string][]version{}} }

// next numbers one more version, which is aborted until its end says more.
func (b *versionBook) next(key string, tombstone bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys[key] = append(b.keys[key], version{tombstone: tombstone})
	return len(b.keys[key])
}

func (b *versionBook) end(key string, number int, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys[key][number-1].outcome = o
}

func (b *versionBook) counts() (n [committed + 1]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, versions := range b.keys {
		for _, v := range versions {
			n[v.outcome]++
		}
	}
	return n
}

// check compares what readers of committed records see with the book.
func (b *versionBook) check(f *findings, c content) {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := map[string]int{}
	c.each(f, func(r record) {
		m, err := decode(r.told())
		if err != nil || m.Key != r.key {
			f.add(torn, "key %s at %s: %v, %v", r.key, placeOf(r), m, err)
			return
		}
		versions, before := b.keys[r.key], last[r.key]
		switch {
		case m.Seq < 1 || m.Seq > len(versions) || versions[m.Seq-1].tombstone != (r.value == nil):
			f.add(wrong, "key %s: version %d at %s was never written", r.key, m.Seq, placeOf(r))
			return
		case m.Seq == before:
			f.add(duplicated, "key %s: version %d, again at %s", r.key, m.Seq, placeOf(r))
		case m.Seq < before:
			f.add(reordered, "key %s: version %d at %s comes after %d", r.key, m.Seq, placeOf(r), before)
		case versions[m.Seq-1].outcome == aborted:
			f.add(wrong, "key %s: version %d at %s was aborted", r.key, m.Seq, placeOf(r))
		}
		last[r.key] = max(before, m.Seq)
	})
	for key, versions := range b.keys {
		checkLast(f, key, versions, last[key])
	}
}

// checkLast: the last version seen is the last that was acknowledged, or one in doubt after it.
func checkLast(f *findings, key string, versions []version, seen int) {
	want := 0
	for i, v := range versions {
		if v.outcome == committed {
			want = i + 1
		}
	}
	if want == 0 || seen >= want {
		return
	}
	if seen == 0 && versions[want-1].tombstone {
		return // removed with what it deleted
	}
	f.add(lost, "key %s: version %d was acknowledged (tombstone %v), and the last is %d", key, want, versions[want-1].tombstone, seen)
}
