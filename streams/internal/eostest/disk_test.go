//go:build unix

package eostest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/streams"
)

const thrownAway = "they are thrown away and restored"

// TestCorruptStoreWhileItRuns: it is said, discarded and restored, and nothing else happens.
func TestCorruptStoreWhileItRuns(t *testing.T) {
	t.Parallel()
	s := newSolo(t, testenv.MemoryDir(t))
	for range times(1, 5) {
		said := s.log.count(thrownAway)
		s.await("the damage is seen", func() string {
			for _, table := range s.tables() {
				s.damage(table)
			}
			if s.log.count(thrownAway) == said {
				return "nobody says so"
			}
			return ""
		})
		s.settled()
	}
	s.finish()
}

// TestCorruptStoreWhileItIsDown damages tables, the list of tables, or what else there is.
func TestCorruptStoreWhileItIsDown(t *testing.T) {
	t.Parallel()
	s := newSolo(t, testenv.MemoryDir(t))
	for _, files := range []string{"*.sst", "MANIFEST-*", "*.sst"}[:times(2, 3)] {
		s.flushed()
		stopApp(t, s.app)
		said := s.log.count(thrownAway)
		damaged, err := filepath.Glob(filepath.Join(s.with.Dir, "*", "stores", "*", files))
		if err != nil || len(damaged) == 0 {
			t.Fatalf("no files like %s: %v", files, err)
		}
		for _, f := range damaged {
			s.damage(f)
		}
		s.start()
		s.await("the damage of "+files+" is seen", func() string {
			if s.log.count(thrownAway) == said {
				return "nobody says so"
			}
			return ""
		})
		s.settled()
	}
	s.finish()
}

// damage the middle of a file.
func (s *solo) damage(path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return // removed meanwhile
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		s.Error(err)
		return
	}
	noise := make([]byte, info.Size()/2+1)
	for i := range noise {
		noise[i] = byte(s.random.Uint32())
	}
	if _, err := f.WriteAt(noise, info.Size()/4); err != nil {
		s.Error(err)
	}
}

// TestStreamsOnFullDisk: as long as the disk is full, that is said; with room again it goes on, or, where
// it has ended for that, after a restart.
func TestStreamsOnFullDisk(t *testing.T) {
	t.Parallel()
	disk := testenv.SmallDisk(t, 64<<20)
	s := newSolo(t, disk)
	ends := 0
	for range times(2, 30) {
		ballast := s.fill(filepath.Join(disk, "ballast"), s.random.IntN(6)*4096)
		await(t, "it is said that the disk is full", func() string {
			err := cmp.Or(s.app.Err(), s.app.Health())
			if err != nil && strings.Contains(err.Error(), "the disk is full") {
				return ""
			}
			return fmt.Sprintf("%s says: %v", s.app.State(), err)
		})
		time.Sleep(time.Duration(s.random.IntN(3000)) * time.Millisecond) // that is the fault
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if s.ended() {
			ends++
			s.start()
		}
		s.settled()
		s.await("nothing is wrong any more", func() string {
			if err := s.app.Health(); err != nil {
				return "it is"
			}
			return ""
		})
	}
	t.Logf("it ended %d times", ends)
	s.finish()
}

func (s *solo) ended() bool {
	if s.app.State() != streams.PendingError && s.app.State() != streams.Errored {
		return false
	}
	<-s.app.Done()
	return true
}

// fill the disk but for so many bytes.
func (s *solo) fill(path string, left int) string {
	s.Helper()
	f, err := os.Create(path)
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if n, err := f.Write(make([]byte, size)); err != nil && n == 0 {
			size /= 2
		}
	}
	info, err := f.Stat()
	if err == nil {
		err = f.Truncate(max(0, info.Size()-int64(left)))
	}
	if err != nil {
		s.Fatal(err)
	}
	return path
}

// times is how often something is done in the share of CI, and in the long mode.
func times(share, long int) int {
	if full() {
		return long
	}
	return share
}
