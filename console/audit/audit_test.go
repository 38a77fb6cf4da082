package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

var quiet = slog.New(slog.DiscardHandler)

func openLog(t *testing.T, c Config) *Log {
	t.Helper()
	c.Logger = quiet
	l, err := OpenConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func record(t *testing.T, l *Log, targets ...string) {
	t.Helper()
	for _, target := range targets {
		if err := l.Record(t.Context(), api.AuditEntry{User: "kim", Act: "redrive", Target: target, Outcome: "begun"}); err != nil {
			t.Fatal(err)
		}
	}
}

// targets are those of all pages.
func targets(t *testing.T, l *Log, q api.PageQuery) []string {
	t.Helper()
	var all []string
	for pages := 0; ; pages++ {
		page, err := l.Entries(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			all = append(all, e.Target)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return all
		}
		if pages > 1000 {
			t.Fatal("the pages do not end")
		}
	}
}

func numbers(from, to int) []string {
	var all []string
	for n := from; n >= to; n-- {
		all = append(all, fmt.Sprint("t", n))
	}
	return all
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestNewestFirstInPages(t *testing.T) {
	for name, c := range map[string]Config{
		"memory":  {},
		"file":    {Path: filepath.Join(t.TempDir(), "audit.jsonl")},
		"rotated": {Path: filepath.Join(t.TempDir(), "audit.jsonl"), MaxBytes: 700, Keep: 100},
	} {
		t.Run(name, func(t *testing.T) {
			l := openLog(t, c)
			same(t, targets(t, l, api.PageQuery{}), nil)
			for n := 1; n <= 40; n++ {
				record(t, l, fmt.Sprint("t", n))
			}
			same(t, targets(t, l, api.PageQuery{Limit: 7}), numbers(40, 1))
			same(t, targets(t, l, api.PageQuery{}), numbers(40, 1))
			same(t, targets(t, l, api.PageQuery{Search: "T2", Limit: 3}), append(numbers(29, 20), "t2"))
			same(t, targets(t, l, api.PageQuery{Search: "nobody"}), nil)
		})
	}
}

func TestPagesGoOnWhileEntriesCome(t *testing.T) {
	l := openLog(t, Config{Path: filepath.Join(t.TempDir(), "audit.jsonl"), MaxBytes: 500, Keep: 100})
	record(t, l, "t1", "t2", "t3", "t4", "t5", "t6")
	first, err := l.Entries(t.Context(), api.PageQuery{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	record(t, l, "t7", "t8", "t9", "t10", "t11")
	same(t, targets(t, l, api.PageQuery{Cursor: first.Next}), numbers(4, 1))
}

func TestRotationKeepsThatMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := openLog(t, Config{Path: path, MaxBytes: 300, Keep: 2})
	for n := 1; n <= 50; n++ {
		record(t, l, fmt.Sprint("t", n))
	}
	files, _ := filepath.Glob(path + "*")
	if len(files) != 3 {
		t.Errorf("files: %v", files)
	}
	got := targets(t, l, api.PageQuery{})
	same(t, got, numbers(50, 50-len(got)+1))
	if len(got) < 4 || len(got) > 12 {
		t.Errorf("%d entries in three files of two or three", len(got))
	}
	if _, err := l.Entries(t.Context(), api.PageQuery{Cursor: "00000000deadbeef-10"}); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("a cursor into a file that is gone: %v", err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
}

func TestTornLastLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := openLog(t, Config{Path: path})
	record(t, l, "t1", "t2")
	l.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < len(whole)/2; cut += 7 {
		if err := os.WriteFile(path, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l := openLog(t, Config{Path: path})
		if !l.Torn() {
			t.Fatalf("%d bytes cut off: not reported", cut)
		}
		record(t, l, "t3")
		if l.Torn() {
			t.Error("torn also after a new line")
		}
		page, err := l.Entries(t.Context(), api.PageQuery{})
		if err != nil || len(page.Items) != 3 || page.Items[0].Target != "t3" || page.Items[2].Target != "t1" {
			t.Fatalf("%d bytes cut off: %+v, %v", cut, page.Items, err)
		}
		if torn := page.Items[1]; cut > 1 && torn.Outcome != "unreadable" || cut == 1 && torn.Target != "t2" {
			t.Errorf("%d bytes cut off: %+v", cut, torn)
		}
		l.Close()
	}
}

func TestForeignLinesAreShownAsSuch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	text := "\n\nrubbish\n" + strings.Repeat("x", 3*maxLine) + "\n" + `{"target":"t1"}` + "\n" + strings.Repeat("y", 2*maxLine)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := openLog(t, Config{Path: path})
	page, err := l.Entries(t.Context(), api.PageQuery{})
	if err != nil || len(page.Items) != 4 {
		t.Fatalf("%+v, %v", page.Items, err)
	}
	for i, want := range []string{"unreadable", "", "unreadable", "unreadable"} {
		if page.Items[i].Outcome != want {
			t.Errorf("line %d from the end: %+v", i, page.Items[i])
		}
	}
}

// faulty fails its n-th call, a write after some bytes.
type faulty struct {
	file
	left  *int
	short int
}

var errFull = errors.New("no space left on device")

func (f faulty) fails() bool { *f.left--; return *f.left == 0 }

func (f faulty) Write(p []byte) (int, error) {
	if f.fails() {
		n, _ := f.file.Write(p[:min(f.short, len(p))])
		return n, errFull
	}
	return f.file.Write(p)
}

func (f faulty) Sync() error {
	if f.fails() {
		return errFull
	}
	return f.file.Sync()
}

func (f faulty) Close() error {
	err := f.file.Close()
	if f.fails() {
		return errFull
	}
	return err
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	for _, short := range []int{0, 1, 20, 10_000} {
		for fail := 1; ; fail++ {
			left, refused := fail, 0
			opener := func(path string) (file, error) {
				f, err := openFile(path)
				return faulty{f, &left, short}, err
			}
			l, err := open(Config{Path: filepath.Join(t.TempDir(), "a"), MaxBytes: 300, Keep: 9, Logger: quiet}, opener)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for n := 1; n <= 6; n++ {
				target := fmt.Sprint("t", n)
				switch err := l.Record(t.Context(), api.AuditEntry{Target: target}); {
				case err == nil:
					want = append([]string{target}, want...)
				case !errors.Is(err, api.ErrUnavailable) || !errors.Is(err, errFull):
					t.Fatalf("call %d: %v", fail, err)
				default:
					refused++
				}
			}
			if refused > 1 || left <= 0 && refused == 0 {
				t.Errorf("call %d failed, %d entries were refused", fail, refused)
			}
			recorded := map[string]bool{}
			for _, target := range targets(t, l, api.PageQuery{}) {
				recorded[target] = true
			}
			for _, target := range want {
				if !recorded[target] {
					t.Errorf("call %d failed after %d bytes: %s is not there", fail, short, target)
				}
			}
			l.Close()
			if left > 1 { // the last run had no failure
				break
			}
		}
	}
}

func TestWhoAndWhen(t *testing.T) {
	l := openLog(t, Config{})
	ctx := api.WithUser(t.Context(), api.User{Name: "lee", Role: api.Operator, From: "10.0.0.1"})
	before := time.Now()
	if err := l.Record(ctx, api.AuditEntry{Act: "reset", Detail: strings.Repeat("한", 10_000)}); err != nil {
		t.Fatal(err)
	}
	page, err := l.Entries(t.Context(), api.PageQuery{})
	if err != nil || len(page.Items) != 1 || page.Total != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	e := page.Items[0]
	if e.User != "lee" || e.Role != api.Operator || e.From != "10.0.0.1" || e.At.Before(before.Add(-time.Millisecond)) || e.At.Location() != time.UTC {
		t.Errorf("%+v", e)
	}
	if len(e.Detail) > maxDetail+3 || strings.ContainsRune(e.Detail, '\uFFFD') {
		t.Errorf("detail of %d bytes", len(e.Detail))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	l := openLog(t, Config{MaxEntries: 5})
	for n := 1; n <= 13; n++ {
		record(t, l, fmt.Sprint("t", n))
	}
	same(t, targets(t, l, api.PageQuery{Limit: 2}), numbers(13, 9))
}

func TestBadRequests(t *testing.T) {
	for _, l := range []*Log{openLog(t, Config{}), openLog(t, Config{Path: filepath.Join(t.TempDir(), "a")})} {
		for _, q := range []api.PageQuery{{Limit: -1}, {Limit: 501}, {Cursor: "x"}, {Cursor: "x-y"}, {Cursor: "-5"}, {Cursor: "x--5"}} {
			if _, err := l.Entries(t.Context(), q); !errors.Is(err, api.ErrInvalid) {
				t.Errorf("%+v: %v", q, err)
			}
		}
		l.Close()
		if _, err := l.Entries(t.Context(), api.PageQuery{}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := l.Record(t.Context(), api.AuditEntry{}); !errors.Is(err, ErrClosed) || !errors.Is(err, api.ErrUnavailable) {
			t.Errorf("after Close: %v", err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing", "a")); err == nil {
		t.Error("a folder that does not exist was accepted")
	}
}

func TestMany(t *testing.T) {
	l := openLog(t, Config{Path: filepath.Join(t.TempDir(), "a"), MaxBytes: 2000, Keep: 100})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := range 25 {
				if err := l.Record(context.Background(), api.AuditEntry{Target: fmt.Sprint(w, "-", n)}); err != nil {
					t.Error(err)
				}
				if _, err := l.Entries(context.Background(), api.PageQuery{Limit: 3}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := targets(t, l, api.PageQuery{}); len(got) != 100 {
		t.Errorf("%d entries of 100", len(got))
	}
}
