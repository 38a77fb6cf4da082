package killtest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// TestDamagedFolder changes bytes anywhere in the folder of a broker that was stopped, or
// killed. The next one refuses to start and names the file, or serves what is not damaged:
// nothing that nobody wrote, and what is missing is of the file, which was named.
func TestDamagedFolder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := newWorld(t, broker.Fsync, filepath.Join(t.TempDir(), "folder"))
	d := &damaging{w: w, numbers: newSequences(w, "numbers"), transactions: newTransactions(w), positions: newPositions(w), versions: newVersions(w)}
	d.numbers.config = map[string]string{"segment.bytes": fmt.Sprint(segmentBytes)}
	w.begin(ctx, d.numbers, d.transactions, d.positions, d.versions)
	testenv.Wait(t, "enough records", 30*time.Second, func() bool {
		return d.numbers.book.acknowledged() > 2000 && d.transactions.book.counts()[committed] > 50
	})
	w.settle()
	w.end("SIGKILL", w.kill)
	folders := []string{w.config.DataDir, filepath.Join(t.TempDir(), "stopped")}
	copyFolder(t, folders[0], folders[1])
	w.config.DataDir = folders[1]
	w.start()
	w.end("SIGTERM", w.broker.stop)
	outcomes := map[string]int{}
	for range testenv.Sized(25, 500) {
		outcomes[d.try(ctx, t, folders[w.random.IntN(2)])]++
	}
	t.Log(outcomes)
}

type damaging struct {
	w            *world
	numbers      *sequences
	transactions *transactions
	positions    *positions
	versions     *versions
}

// try damages a copy of a folder and tells what became of it.
func (d *damaging) try(ctx context.Context, t *testing.T, folder string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "damaged")
	copyFolder(t, folder, dir)
	file, how := d.damage(t, dir)
	var said output
	b, err := broker.Start(ctx, broker.Config{Addr: d.w.config.Addr, DataDir: dir, NoAutoCreate: true, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		if !strings.Contains(err.Error(), filepath.Base(file)) {
			t.Errorf("%s: refused, and the file is not named: %v", how, err)
		}
		return "refused"
	}
	outcome := d.judge(ctx, t, file, how, &said)
	if err := b.Stop(context.Background()); err != nil && !strings.Contains(err.Error(), filepath.Base(file)) {
		t.Errorf("%s: stop: %v", how, err)
	}
	return outcome
}

// damage changes bytes of a random file, but not of one that says nothing.
func (d *damaging) damage(t *testing.T, dir string) (file, how string) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if info, err := e.Info(); err == nil && e.Type().IsRegular() && info.Size() > 0 && e.Name() != "lock" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file = files[d.w.random.IntN(len(files))]
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Files may be longer than what was written to them.
	used := len(bytes.TrimRight(data, "\x00"))
	at := d.w.random.IntN(max(used, 1))
	n := []int{1, 1, 16, 512}[d.w.random.IntN(4)]
	for i := at; i < min(at+n, len(data)); i++ {
		data[i] ^= byte(1 + d.w.random.IntN(255))
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	name, _ := filepath.Rel(dir, file)
	return file, fmt.Sprintf("%d bytes of %s (of %d) changed at %d", n, name, used, at)
}

// judge compares what is served with the books.
func (d *damaging) judge(ctx context.Context, t *testing.T, file, how string, said *output) string {
	t.Helper()
	told := false
	read := func(topic string, onlyCommitted bool) content {
		c, skipped, err := d.w.salvage(ctx, topic, onlyCommitted)
		if err != nil {
			t.Errorf("%s: %v", how, err)
		}
		told = told || len(skipped) > 0 // the client was told
		return c
	}
	numbers := read(d.numbers.topic, false)
	books := map[string]func(*findings){
		"numbers": func(f *findings) { d.numbers.book.check(f, numbers, never) },
		"numbers of other partitions": func(f *findings) {
			d.numbers.book.check(f, numbers, func(p place) bool {
				return topicOf(file) == d.numbers.topic && filepath.Base(filepath.Dir(file)) == fmt.Sprint(p.partition)
			})
		},
		"transactions": func(f *findings) {
			d.transactions.book.check(f, read(d.transactions.debit, true), read(d.transactions.credit, true))
		},
		"versions": func(f *findings) { d.versions.book.check(f, read(d.versions.topic, true)) },
		"positions": func(f *findings) {
			if err := d.positions.check(ctx, f); err != nil {
				t.Errorf("%s: %v", how, err)
			}
		},
	}
	told = told || strings.Contains(said.String(), filepath.Base(file))
	missing := 0
	for name, check := range books {
		var f findings
		check(&f)
		if n := f.count[lost] + f.count[torn]; n > 0 && !slices.Contains(holds(file), name) {
			t.Errorf("%s: %d of %s are missing: %s %s\n%s", how, n, name, f.first[lost], f.first[torn], said)
		} else {
			missing += n
		}
		for _, k := range []kind{duplicated, reordered, wrong} {
			if f.count[k] > 0 {
				t.Errorf("%s: %v: %s\n%s", how, k, f.first[k], said)
			}
		}
	}
	switch {
	case missing > 0 && !told:
		t.Errorf("%s: %d are missing, and nobody says so\n%s", how, missing, said)
	case missing > 0:
		return "missing and told"
	case told:
		return "told"
	}
	return "nothing"
}

// topicOf is the topic that a file belongs to: the folder of a partition is in
// topics/<name>-<id>.
func topicOf(file string) string {
	name := filepath.Base(filepath.Dir(filepath.Dir(file)))
	return name[:max(strings.LastIndexByte(name, '-'), 0)]
}

// holds says whose books a file's damage may excuse. The journal's is none: a kill leaves the
// logs whole.
func holds(file string) []string {
	return map[string][]string{
		"numbers": {"numbers"}, "debit": {"transactions"}, "credit": {"transactions"}, "versions": {"versions"},
		"__consumer_offsets": {"positions"}, "__transaction_state": {"transactions", "versions"},
	}[topicOf(file)]
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
