package local

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// storesOn makes stores of n batches, in some tables of some levels.
func storesOn(t *testing.T, fs vfs.FS, n int64) {
	t.Helper()
	db, err := Open(Options{Dir: "stores", FS: fs, MemoryBytes: 1 << 20, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	spaces, err := killSpaces(db)
	if err != nil {
		t.Fatal(err)
	}
	b := db.NewBatch()
	for i := range n {
		if err := commitNumber(b, spaces, i+1); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// filesOf lists all files.
func filesOf(t *testing.T, fs vfs.FS, dir string) (out []string) {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := fs.PathJoin(dir, name)
		info, err := fs.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			out = append(out, filesOf(t, fs, path)...)
		} else {
			out = append(out, path)
		}
	}
	return out
}

func readFile(t *testing.T, fs vfs.FS, path string) []byte {
	t.Helper()
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, fs vfs.FS, path string, b []byte) {
	t.Helper()
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write(b)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever byte of whatever file is another one: the stores are what some first batches
// made of them, or it is said and they are empty after that.
func TestFlippedBytes(t *testing.T) {
	random := testenv.Rand(t)
	fs := vfs.NewMem()
	storesOn(t, fs, 600)
	outcomes := map[string]int{}
	for _, path := range filesOf(t, fs, "stores") {
		b := readFile(t, fs, path)
		for _, at := range interesting(len(b), random.IntN) {
			old := b[at]
			b[at] ^= byte(1 + random.IntN(255))
			outcomes[damage(t, fs, path, b, fmt.Sprintf("%s at %d of %d: %02x for %02x", path, at, len(b), b[at], old))]++
			b[at] = old
		}
	}
	t.Log(outcomes)
	if outcomes["unharmed"] == 0 || outcomes[foundAtOpen]+outcomes[foundWhenRead] == 0 {
		t.Error("one of the outcomes never came")
	}
}

// Files that end early, or are gone.
func TestMissingBytes(t *testing.T) {
	random := testenv.Rand(t)
	fs := vfs.NewMem()
	storesOn(t, fs, 600)
	for _, path := range filesOf(t, fs, "stores") {
		b := readFile(t, fs, path)
		for _, n := range []int{0, random.IntN(len(b) + 1), max(len(b)-1, 0)} {
			damage(t, fs, path, b[:n], fmt.Sprintf("%s cut to %d of %d", path, n, len(b)))
		}
		damage(t, fs, path, nil, path+" gone")
	}
}

// interesting offsets of a file: some of its ends, and some in between.
func interesting(size int, intN func(int) int) (out []int) {
	for range min(size, 12) {
		out = append(out, intN(min(size, 40)), size-1-intN(min(size, 90)), intN(size))
	}
	return out
}

// Outcomes of damage: in the background of opening it may be found before it is read.
const foundAtOpen, foundWhenRead = "found at open", "found when read"

// damage opens a copy of the stores in which one file has other contents (nil: is gone).
func damage(t *testing.T, from vfs.FS, path string, contents []byte, what string) (outcome string) {
	t.Helper()
	fs := vfs.NewMem()
	if _, err := vfs.Clone(from, fs, "stores", "stores"); err != nil {
		t.Fatal(err)
	}
	if contents == nil {
		fs.Remove(path)
	} else {
		writeFile(t, fs, path, contents)
	}
	var discarded atomic.Int32
	db, err := Open(Options{Dir: "stores", FS: fs, MemoryBytes: 1 << 20, Logger: quiet(), OnDiscard: func(error) { discarded.Add(1) }})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer db.Close()
	outcome = "unharmed"
	atOpen := discarded.Load() > 0
	if atOpen {
		outcome = foundAtOpen
	}
	n, err := batchesIn(db)
	switch {
	case errors.Is(err, ErrCorrupt), err != nil && errors.Is(db.Err(), ErrCorrupt): // found while others were read
		outcome = foundWhenRead
		testenv.Wait(t, what+": an empty database", 10*time.Second, func() bool { return discarded.Load() == 1 })
		if !errors.Is(db.Err(), ErrCorrupt) {
			t.Errorf("%s: Err says %v", what, db.Err())
		}
		n = 0
	case err != nil:
		t.Fatalf("%s: %v", what, err)
	case atOpen && n > 0:
		t.Errorf("%s: %d batches of what was thrown away", what, n)
	case n == 0 && discarded.Load() == 0:
		t.Errorf("%s: emptied without a word", what)
	case n > 0 && n < 600:
		outcome = "older"
	}
	if n == 0 {
		useAnew(t, db, what)
	}
	return outcome
}

// useAnew fills the stores from the beginning, as restoring does.
func useAnew(t *testing.T, db *DB, what string) {
	t.Helper()
	spaces, err := killSpaces(db)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for _, s := range spaces {
		if err := s.Clear(); err != nil {
			t.Fatalf("%s: clearing: %v", what, err)
		}
	}
	for n := range int64(3) {
		if err := commitNumber(db.NewBatch(), spaces, n+1); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if n, err := batchesIn(db); n != 3 || err != nil {
		t.Fatalf("%s: %d batches after it was cleared and filled: %v", what, n, err)
	}
	if err := db.Err(); err != nil {
		t.Errorf("%s: after it was filled anew Err says %v", what, err)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	storesOn(t, fs, 1)
	writeFile(t, fs, filepath.Join("stores", formatName), []byte(format(formatVersion+1)))
	_, err := Open(Options{Dir: "stores", FS: fs, Logger: quiet()})
	if !errors.Is(err, ErrNewer) {
		t.Errorf("%v", err)
	}
	writeFile(t, fs, filepath.Join("stores", formatName), []byte(format(formatVersion)))
	db, err := Open(Options{Dir: "stores", FS: fs, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n, err := batchesIn(db); n != 1 || err != nil {
		t.Errorf("%d batches, %v", n, err)
	}
}

// TestLostSpaceIsNotTakenForAnEmptyOne: whoever looks a space up does not make it empty for
// the task that uses it.
func TestLostSpaceIsNotTakenForAnEmptyOne(t *testing.T) {
	db, err := Open(Options{Dir: "stores", FS: vfs.NewMem(), Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	id := TaskID{Sub: 1}
	used, err := db.Space(id, "counts", true)
	if err != nil {
		t.Fatal(err)
	}
	b := db.NewBatch()
	b.Set(used, []byte("key"), []byte("value"))
	b.SetOffset(used, 7)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	lost := db.engine
	lost.die(ErrCorrupt)
	testenv.Wait(t, "another database", 30*time.Second, func() bool {
		db.mu.Lock()
		defer db.mu.Unlock()
		return db.engine != lost
	})
	again, err := db.Space(id, "counts", true)
	if err != nil || again != used {
		t.Fatalf("looked up, it is %v, %v", again, err)
	}
	if _, _, err := used.Get([]byte("key"), nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a lost key: %v", err)
	}
	if _, err := db.Renew(id, "counts", true); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := used.Get([]byte("key"), nil); ok || err != nil {
		t.Errorf("renewed, it has the key: %t, %v", ok, err)
	}
	if at, ok := used.Offset(); ok {
		t.Errorf("renewed, it goes on at %d", at)
	}
}
