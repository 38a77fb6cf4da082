package local

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

const envKillDir = "PABAL_TEST_LOCAL_DIR"

// TestMain is the process to be killed, too.
func TestMain(m *testing.M) {
	if dir := os.Getenv(envKillDir); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// killOptions have small memory tables, so that many flushes are cut short.
func killOptions(dir string) Options { return Options{Dir: dir, MemoryBytes: 2 << 20} }

// writeUntilKilled makes batches over all spaces, and says what it flushed.
func writeUntilKilled(dir string) error {
	db, err := Open(killOptions(dir))
	if err != nil {
		return err
	}
	spaces, err := killSpaces(db)
	if err != nil {
		return err
	}
	n, _ := spaces[0].Offset()
	for b := db.NewBatch(); ; {
		n++
		if err := commitNumber(b, spaces, n); err != nil {
			return err
		}
		if n%400 == 0 {
			if err := db.Flush(); err != nil {
				return err
			}
			fmt.Println(n)
		}
	}
}

// commitNumber makes the n-th batch over all spaces.
func commitNumber(b Batch, spaces []Space, n int64) error {
	for i, s := range spaces {
		b.Set(s, []byte("count"), number(n))
		b.Set(s, number(n), value(n))
		b.Delete(s, number(n-keptKeys))
		b.SetOffset(s, n+int64(i))
	}
	return b.Commit()
}

// keptKeys of the last batches are in each space.
const keptKeys = 50

// value of the n-th batch: bytes that do not compress.
func value(n int64) []byte {
	b := make([]byte, 1+n%700)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}).Read(b)
	return b
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64([]byte("n"), uint64(n)) }

func killSpaces(db *DB) (spaces []Space, err error) {
	for i := range int32(4) {
		s, err := db.Space(TaskID{Sub: i / 2, Partition: i}, "counts", true)
		if err != nil {
			return nil, err
		}
		spaces = append(spaces, s)
	}
	return spaces, nil
}

func TestKillLeavesPrefix(t *testing.T) { killAndCheck(t, 12) }

func TestManyKillsLeavePrefix(t *testing.T) {
	testenv.Full(t)
	killAndCheck(t, 200)
}

// Killed at any moment, all spaces hold the same batches: the first so many, at least those
// that were flushed.
func killAndCheck(t *testing.T, rounds int) {
	dir, random := t.TempDir(), testenv.Rand(t)
	last := int64(0)
	for round := range rounds {
		flushed := killOnce(t, dir, time.Duration(random.IntN(150))*time.Millisecond)
		n := checkPrefix(t, dir)
		if n < flushed || n < last {
			t.Fatalf("round %d: %d batches are left of %d flushed, %d before", round, n, flushed, last)
		}
		last = n
	}
	if last == 0 {
		t.Error("no batch was ever left")
	}
}

// killOnce runs the process for a while after its first flush, and returns the last one
// it told of.
func killOnce(t *testing.T, dir string, after time.Duration) (flushed int64) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), envKillDir+"="+dir)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var kill *time.Timer
	lines := bufio.NewReader(out)
	for {
		var n int64
		if _, err := fmt.Fscanln(lines, &n); err != nil {
			if kill == nil {
				t.Fatalf("the process ended by itself: %v", err)
			}
			break
		}
		flushed = n
		if kill == nil {
			kill = time.AfterFunc(after, func() { c.Process.Kill() })
		}
	}
	io.Copy(io.Discard, out)
	c.Wait()
	return flushed
}

func checkPrefix(t *testing.T, dir string) int64 {
	t.Helper()
	o := killOptions(dir)
	o.OnDiscard = func(err error) { t.Fatalf("thrown away: %v", err) }
	db, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n, err := batchesIn(db)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// batchesIn is how many batches the spaces have; an error where one has not exactly what
// that many leave.
func batchesIn(db *DB) (int64, error) {
	spaces, err := killSpaces(db)
	if err != nil {
		return 0, err
	}
	n, _ := spaces[0].Offset()
	for i, s := range spaces {
		if at, _ := s.Offset(); at != n+int64(i) && n > 0 {
			return n, fmt.Errorf("space %d is at %d, the first at %d", i, at, n)
		}
		if err := wantBatches(s, n); err != nil {
			return n, err
		}
	}
	return n, nil
}

func wantBatches(s Space, n int64) error {
	keys := int64(0)
	for p, err := range s.Scan(nil, nil, false) {
		if err != nil {
			return err
		}
		keys++
		if string(p.Key) == "count" {
			if string(p.Value) != string(number(n)) {
				return fmt.Errorf("the counter is %x, the offset %d", p.Value, n)
			}
			continue
		}
		of := int64(binary.BigEndian.Uint64(p.Key[1:]))
		if of > n || of <= n-keptKeys || !bytes.Equal(p.Value, value(of)) {
			return fmt.Errorf("key %x of %d batches has %d bytes", p.Key, n, len(p.Value))
		}
	}
	if want := min(n, keptKeys) + 1; n > 0 && keys != want {
		return fmt.Errorf("%d keys of %d batches, want %d", keys, n, want)
	}
	return nil
}
