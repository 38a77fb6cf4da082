package local

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// kinds are all sorts of spaces; each test below holds for them alike.
func kinds(t *testing.T, test func(t *testing.T, db *DB, s Space)) {
	for _, k := range []struct {
		name       string
		persistent bool
		open       func() (*DB, error)
	}{
		{"on disk", true, func() (*DB, error) { return Open(Options{Dir: "stores", FS: vfs.NewMem()}) }},
		{"in memory", false, func() (*DB, error) { return Open(Options{Dir: "stores", FS: vfs.NewMem()}) }},
		{"without a disk", true, func() (*DB, error) { return OpenMemory(), nil }},
	} {
		t.Run(k.name, func(t *testing.T) {
			db, err := k.open()
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}()
			s, err := db.Space(TaskID{1, 2}, "counts", k.persistent)
			if err != nil {
				t.Fatal(err)
			}
			test(t, db, s)
		})
	}
}

// fill sets the keys to their own bytes, with an offset.
func fill(t testing.TB, db *DB, s Space, next int64, keys ...string) {
	t.Helper()
	b := db.NewBatch()
	for _, k := range keys {
		b.Set(s, []byte(k), []byte(k+"="))
	}
	b.SetOffset(s, next)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
}

// keysOf lists a scan's keys.
func keysOf(t testing.TB, r Reader, from, to []byte, reverse bool) []string {
	t.Helper()
	var out []string
	for p, err := range r.Scan(from, to, reverse) {
		if err != nil {
			t.Fatal(err)
		}
		if string(p.Value) != string(p.Key)+"=" {
			t.Errorf("key %q has value %q", p.Key, p.Value)
		}
		out = append(out, string(p.Key))
	}
	return out
}

func TestReading(t *testing.T) {
	kinds(t, func(t *testing.T, db *DB, s Space) {
		if _, ok := s.Offset(); ok {
			t.Error("a new space has an offset")
		}
		other, err := db.Space(TaskID{1, 3}, "counts", true)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, db, other, 1, "a", "b", "z", "")
		fill(t, db, s, 7, "b", "d", "a", "c", "\xff\xff", "")
		got, ok, err := s.Get([]byte("d"), []byte("x"))
		if string(got) != "xd=" || !ok || err != nil {
			t.Errorf("d: %q %v %v", got, ok, err)
		}
		got, ok, err = s.Get([]byte("e"), []byte("x"))
		if string(got) != "x" || ok || err != nil {
			t.Errorf("e: %q %v %v", got, ok, err)
		}
		if next, ok := s.Offset(); next != 7 || !ok {
			t.Errorf("offset %d %v", next, ok)
		}
		for _, c := range []struct {
			from, to []byte
			want     []string
		}{
			{nil, nil, []string{"", "a", "b", "c", "d", "\xff\xff"}},
			{[]byte("b"), nil, []string{"b", "c", "d", "\xff\xff"}},
			{[]byte("b"), []byte("d"), []string{"b", "c"}},
			{nil, []byte("bb"), []string{"", "a", "b"}},
			{[]byte("bb"), []byte("bc"), nil},
			{[]byte("d"), []byte("b"), nil},
			{nil, []byte{}, nil},
		} {
			if got := keysOf(t, s, c.from, c.to, false); !slices.Equal(got, c.want) {
				t.Errorf("from %q to %q: %q", c.from, c.to, got)
			}
			slices.Reverse(c.want)
			if got := keysOf(t, s, c.from, c.to, true); !slices.Equal(got, c.want) {
				t.Errorf("from %q to %q in reverse: %q", c.from, c.to, got)
			}
		}
	})
}

func TestSnapshotStays(t *testing.T) {
	kinds(t, func(t *testing.T, db *DB, s Space) {
		fill(t, db, s, 1, "a", "b")
		snap, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		b := db.NewBatch()
		b.Delete(s, []byte("a"))
		b.Set(s, []byte("c"), []byte("c="))
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(keysOf(t, snap, nil, nil, false), keysOf(t, s, nil, nil, false)); got != "[a b] [b c]" {
			t.Error(got)
		}
		if err := s.Clear(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(keysOf(t, snap, nil, nil, true), keysOf(t, s, nil, nil, true)); got != "[b a] []" {
			t.Error(got)
		}
		if _, ok := s.Offset(); ok {
			t.Error("the cleared space has an offset")
		}
	})
}

func TestBatchInOrder(t *testing.T) {
	kinds(t, func(t *testing.T, db *DB, s Space) {
		fill(t, db, s, 1, "a", "b", "c", "d", "e")
		b := db.NewBatch()
		b.DeleteRange(s, []byte("b"), []byte("d"))
		b.Set(s, []byte("c"), []byte("c="))
		b.DeleteRange(s, []byte("e"), nil)
		b.Delete(s, []byte("nothing"))
		if b.Bytes() == 0 {
			t.Error("no bytes gathered")
		}
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := keysOf(t, s, nil, nil, false); !slices.Equal(got, []string{"a", "c", "d"}) {
			t.Errorf("%q", got)
		}
		b.Set(s, []byte("x"), nil)
		b.Close()
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := keysOf(t, s, nil, nil, false); !slices.Equal(got, []string{"a", "c", "d"}) {
			t.Errorf("%q after a batch was given up", got)
		}
	})
}

func TestReopen(t *testing.T) {
	fs := vfs.NewMem()
	open := func() *DB {
		db, err := Open(Options{Dir: "stores", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	space := func(db *DB, partition int32, persistent bool) Space {
		s, err := db.Space(TaskID{0, partition}, "s", persistent)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	db := open()
	fill(t, db, space(db, 0, true), 5, "a")
	fill(t, db, space(db, 1, false), 6, "b")
	fill(t, db, space(db, 2, true), 7, "c")
	fill(t, db, space(db, 3, true), 8, "d")
	if err := space(db, 3, true).Clear(); err != nil {
		t.Fatal(err)
	}
	if err := db.Drop(TaskID{0, 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: "stores", FS: fs}); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open()
	defer db.Close()
	if got := fmt.Sprint(db.Saved()); got != "[{{0 0} s 5}]" {
		t.Error(got)
	}
	for partition, want := range []string{"[a]", "[]", "[]", "[]"} {
		if got := fmt.Sprint(keysOf(t, space(db, int32(partition), true), nil, nil, false)); got != want {
			t.Errorf("partition %d has %s", partition, got)
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestMarkIsKeptWithTheOffset(t *testing.T) {
	kinds(t, func(t *testing.T, db *DB, s Space) {
		topic, at := TopicID{1, 2, 15: 3}, time.UnixMilli(1234)
		if got := s.Mark(); got != (Mark{}) {
			t.Errorf("a new space has %v", got)
		}
		s.Follow(topic)
		b := db.NewBatch()
		b.SetOffset(s, 7)
		b.SetAsOf(s, at)
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		fill(t, db, s, 8, "a") // of an offset alone
		b.SetAsOf(s, at.Add(time.Second))
		b.Close() // given up
		if got := s.Mark(); got.Topic != topic || !got.AsOf.Equal(at) {
			t.Errorf("it has %v", got)
		}
		if err := s.Clear(); err != nil {
			t.Fatal(err)
		}
		if got := s.Mark(); got != (Mark{}) {
			t.Errorf("a cleared space has %v", got)
		}
	})
}

func TestMarkOutlivesTheProcess(t *testing.T) {
	files := vfs.NewMem()
	open := func() (*DB, Space, Space) {
		db, err := Open(Options{Dir: "stores", FS: files})
		if err != nil {
			t.Fatal(err)
		}
		s, err := db.Space(TaskID{1, 2}, "counts", true)
		old, badly := db.Space(TaskID{1, 2}, "old", true)
		if err := errors.Join(err, badly); err != nil {
			t.Fatal(err)
		}
		return db, s, old
	}
	db, s, old := open()
	topic, at := TopicID{7}, time.UnixMilli(99)
	s.Follow(topic)
	b := db.NewBatch()
	b.SetOffset(s, 7)
	b.SetAsOf(s, at)
	// The offset alone is what older spaces have.
	b.SetOffset(old, 3)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	p := old.(*diskSpace).at.Load()
	err := p.engine.change(func(b *pebble.Batch) error {
		return b.Set(offsetKey(p.number), []byte{0, 0, 0, 0, 0, 0, 0, 3}, nil)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	db, s, old = open()
	defer db.Close()
	next, ok := s.Offset()
	if got := s.Mark(); next != 7 || !ok || got.Topic != topic || !got.AsOf.Equal(at) {
		t.Errorf("%d %v, %v", next, ok, got)
	}
	next, ok = old.Offset()
	if got := old.Mark(); next != 3 || !ok || got != (Mark{}) {
		t.Errorf("the older one: %d %v, %v", next, ok, got)
	}
}
