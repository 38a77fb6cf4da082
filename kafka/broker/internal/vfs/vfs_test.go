package vfs_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// each runs a test against all file systems, in a folder that exists.
func each(t *testing.T, test func(t *testing.T, fsys vfs.FS, dir string)) {
	t.Run("os", func(t *testing.T) { test(t, vfs.OS, filepath.ToSlash(testenv.MemoryDir(t))) })
	for name, fsys := range map[string]vfs.FS{"memory": vfs.NewMemory(), "sim": simfs.New()} {
		t.Run(name, func(t *testing.T) {
			if err := fsys.MkdirAll("/a/b"); err != nil {
				t.Fatal(err)
			}
			test(t, fsys, "/a/b")
		})
	}
}

func TestNamesComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		for _, name := range []string{"b", "a", "c"} {
			f, err := fsys.Create(dir + "/" + name)
			must(t, err)
			must(t, f.Close())
		}
		must(t, fsys.Rename(dir+"/a", dir+"/c"))
		must(t, fsys.MkdirAll(dir+"/d"))
		must(t, fsys.SyncDir(dir))
		names, err := fsys.ReadDir(dir)
		must(t, err)
		if !slices.Equal(names, []string{"b", "c", "d"}) {
			t.Fatalf("found %q", names)
		}
		must(t, fsys.Remove(dir+"/b"))
		must(t, fsys.Remove(dir+"/d"))
		for _, gone := range []string{"/a", "/b", "/d/x"} {
			if _, err := fsys.Open(dir + gone); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", gone, err)
			}
		}
	})
}

func TestContentIsWhatWasWritten(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		rnd := testenv.Rand(t)
		f, err := fsys.Create(dir + "/f")
		must(t, err)
		defer f.Close()
		var want []byte
		for range 200 {
			if rnd.IntN(8) == 0 {
				size := rnd.IntN(200_000)
				must(t, f.Truncate(int64(size)))
				want = append(want, make([]byte, max(0, size-len(want)))...)[:size]
				continue
			}
			at, p := rnd.IntN(150_000), bytes.Repeat([]byte{byte(rnd.Uint32())}, 1+rnd.IntN(100_000))
			_, err := f.WriteAt(p, int64(at))
			must(t, err)
			want = append(want, make([]byte, max(0, at+len(p)-len(want)))...)
			copy(want[at:], p)
		}
		must(t, f.Sync())
		size, err := f.Size()
		must(t, err)
		got := make([]byte, size)
		if n, err := f.ReadAt(got, 0); n != len(got) || err != nil && err != io.EOF || !bytes.Equal(got, want) {
			t.Fatalf("read %d of %d bytes, want %d: %v", n, size, len(want), err)
		}
		if n, err := f.ReadAt(make([]byte, 10), size-3); n != 3 || err != io.EOF {
			t.Fatalf("past the end: %d, %v", n, err)
		}
	})
}

func TestLockIsForOne(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		first, err := fsys.Lock(dir + "/lock")
		must(t, err)
		if _, err := fsys.Lock(dir + "/lock"); !errors.Is(err, vfs.ErrLocked) {
			t.Fatalf("second lock: %v", err)
		}
		must(t, first.Close())
		again, err := fsys.Lock(dir + "/lock")
		must(t, err)
		must(t, again.Close())
	})
}

func TestReadFileIsBounded(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		must(t, vfs.WriteFile(fsys, dir, "f", []byte("twelve bytes")))
		if got, err := vfs.ReadFile(fsys, dir+"/f", 12); err != nil || string(got) != "twelve bytes" {
			t.Fatalf("%q, %v", got, err)
		}
		if _, err := vfs.ReadFile(fsys, dir+"/f", 11); !errors.Is(err, vfs.ErrTooLarge) {
			t.Fatalf("too large: %v", err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLargeFiles: what the system holds ready for a file that grows is no part of it.
func TestLargeFiles(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		f, err := fsys.Create(dir + "/large")
		must(t, err)
		defer f.Close()
		want := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16)
		for at, n := 0, 1; at < len(want); n *= 3 {
			end := min(at+n, len(want))
			_, err := f.WriteAt(want[at:end], int64(at))
			must(t, err)
			at = end
			if size, err := f.Size(); err != nil || size != int64(end) {
				t.Fatalf("its length is %d (%v) after %d bytes", size, err, end)
			}
		}
		got, err := vfs.ReadFile(fsys, dir+"/large", 4<<20)
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Fatal("its content is another")
		}
	})
}
