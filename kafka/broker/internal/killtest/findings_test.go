package killtest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// kind is what is wrong with something found.
type kind int

const (
	lost kind = iota
	duplicated
	reordered
	torn  // part of what is all or nothing, or bytes that nobody wrote
	wrong // anything else
	kinds
)

func (k kind) String() string {
	return [...]string{"lost", "duplicated", "out of order", "torn", "wrong"}[k]
}

// findings are what is wrong. They are safe for concurrent use; the zero value is none.
type findings struct {
	mu    sync.Mutex
	count [kinds]int
	first [kinds][]string
}

const toldOfEach = 10

func (f *findings) add(k kind, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count[k]++; len(f.first[k]) < toldOfEach {
		f.first[k] = append(f.first[k], fmt.Sprintf(format, args...))
	}
}

func (f *findings) total() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.count {
		n += c
	}
	return n
}

// String is the counts.
func (f *findings) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var parts []string
	for k, n := range f.count {
		parts = append(parts, fmt.Sprint(n, " ", kind(k)))
	}
	return strings.Join(parts, ", ")
}

// report fails the test where something was found.
func (f *findings) report(t testing.TB) {
	t.Helper()
	if f.total() == 0 {
		return
	}
	t.Error(f)
	for k, first := range f.first {
		for _, text := range first {
			t.Logf("%v: %s", kind(k), text)
		}
	}
}

// into adds what was found here to others.
func (f *findings) into(others *findings) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, first := range f.first {
		for _, text := range first {
			others.add(kind(k), "%s", text)
		}
	}
}
