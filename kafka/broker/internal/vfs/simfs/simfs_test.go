package simfs_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// TestSyncedStays: whatever the crash, synced bytes under a synced name are there; all
// that may happen to others does.
func TestSyncedStays(t *testing.T) {
	rnd := testenv.Rand(t)
	s := simfs.New()
	f, err := s.Create("/f")
	must(t, err)
	write(t, f, "synced", 0)
	must(t, f.Sync())
	must(t, s.SyncDir("/"))
	write(t, f, "AAAA", 6)
	write(t, f, "BBBB", 10)
	seen := map[string]bool{}
	for range 500 {
		got := content(t, s.Crash(rnd), "/f")
		if !strings.HasPrefix(got, "synced") {
			t.Fatalf("found %q", got)
		}
		seen[got] = true
	}
	for _, want := range []string{"synced", "syncedAAAA", "syncedAAAABBBB", "syncedAA", "syncedAAAABB", "synced\x00\x00\x00\x00BBBB"} {
		if !seen[want] {
			t.Errorf("no crash left %q", want)
		}
	}
	if got := content(t, s.Kill(), "/f"); got != "syncedAAAABBBB" {
		t.Errorf("killed, it left %q", got)
	}
}

func TestNamesNeedASync(t *testing.T) {
	rnd := testenv.Rand(t)
	s := simfs.New()
	must(t, vfs.WriteFile(s, "/", "f", []byte("old")))
	must(t, vfs.WriteFile(s, "/", "g", []byte("new")))
	must(t, s.Rename("/g", "/f"))
	seen := map[string]bool{}
	for range 100 {
		seen[content(t, s.Crash(rnd), "/f")] = true
	}
	if !maps.Equal(seen, map[string]bool{"old": true, "new": true}) {
		t.Fatalf("found %v", seen)
	}
	must(t, s.SyncDir("/"))
	if got := content(t, s.Crash(rnd), "/f"); got != "new" {
		t.Fatalf("synced, and found %q", got)
	}
}

// TestFailedSyncForgets: as on Linux, what a failed sync held may never reach the disk,
// though programs see it and later syncs succeed.
func TestFailedSyncForgets(t *testing.T) {
	s := simfs.New()
	f, err := s.Create("/f")
	must(t, err)
	must(t, s.SyncDir("/"))
	write(t, f, "lost", 0)
	eio := errors.New("EIO")
	s.Hook(func(op simfs.Op) error {
		if op.Kind == "sync" {
			return eio
		}
		return nil
	})
	if err := f.Sync(); !errors.Is(err, eio) {
		t.Fatal(err)
	}
	s.Hook(nil)
	write(t, f, "kept", 4)
	must(t, f.Sync())
	if got := content(t, s.Crash(testenv.Rand(t)), "/f"); got != "\x00\x00\x00\x00kept" {
		t.Fatalf("found %q", got)
	}
	if got := content(t, s, "/f"); got != "lostkept" {
		t.Fatalf("programs see %q", got)
	}
}

// TestEachHandleIsTold of a sync that failed, once, and one that is opened later is not.
func TestEachHandleIsTold(t *testing.T) {
	s := simfs.New()
	first, err := s.Create("/f")
	must(t, err)
	second, err := s.Open("/f")
	must(t, err)
	eio := errors.New("EIO")
	s.Hook(func(simfs.Op) error { return eio })
	if err := first.Sync(); !errors.Is(err, eio) {
		t.Fatal(err)
	}
	s.Hook(nil)
	third, err := s.Open("/f")
	must(t, err)
	if err := second.Sync(); !errors.Is(err, eio) {
		t.Fatalf("the other handle is told %v", err)
	}
	must(t, errors.Join(first.Sync(), second.Sync(), third.Sync()))
}

func TestFlip(t *testing.T) {
	s := simfs.New()
	must(t, vfs.WriteFile(s, "/", "f", []byte("abc")))
	must(t, s.Flip("/f", 1, 0x20))
	if got := content(t, s.Crash(testenv.Rand(t)), "/f"); got != "aBc" {
		t.Fatalf("found %q", got)
	}
	if s.Flip("/f", 3, 1) == nil {
		t.Fatal("flipped what is not there")
	}
}

func content(t *testing.T, s *simfs.FS, name string) string {
	t.Helper()
	data, err := vfs.ReadFile(s, name, 1<<20)
	must(t, err)
	return string(data)
}

func write(t *testing.T, f vfs.File, data string, at int64) {
	t.Helper()
	_, err := f.WriteAt([]byte(data), at)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
