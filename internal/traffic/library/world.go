package library

import (
	"context"
	"fmt"
	"sync"
)

type member struct{ id, name string }

type book struct {
	no    int64
	title string
}

// world holds members and books that no story has at the moment. Stories take and give
// them, and make new ones where there is none: a story that keeps what it has costs only
// that.
type world struct {
	mu      sync.Mutex
	members []member
	books   []book
	made    int64
}

// The library at first.
const (
	firstMembers = 8
	firstBooks   = 12
)

// Prepare registers the first members and enters the first books.
func (t *Traffic) Prepare(ctx context.Context) error {
	for range firstMembers {
		m, err := t.newMember(ctx)
		if err != nil {
			return fmt.Errorf("register members: %w", err)
		}
		t.world.giveMember(m)
	}
	for range firstBooks {
		b, err := t.newBook(ctx)
		if err != nil {
			return fmt.Errorf("enter books: %w", err)
		}
		t.world.giveBook(b)
	}
	return nil
}

// Sample is a book that somebody could rent, after Prepare.
func (t *Traffic) Sample() (no int64, title string) {
	t.world.mu.Lock()
	defer t.world.mu.Unlock()
	if len(t.world.books) == 0 {
		return 1, title
	}
	b := t.world.books[0]
	return b.no, b.title
}

func (w *world) member(ctx context.Context, t *Traffic) (member, error) {
	w.mu.Lock()
	if n := len(w.members); n > 0 {
		defer w.mu.Unlock()
		m := w.members[0]
		w.members = w.members[1:]
		return m, nil
	}
	w.mu.Unlock()
	return t.newMember(ctx)
}

func (w *world) giveMember(m member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members = append(w.members, m)
}

func (w *world) book(ctx context.Context, t *Traffic) (book, error) {
	w.mu.Lock()
	if n := len(w.books); n > 0 {
		defer w.mu.Unlock()
		b := w.books[0]
		w.books = w.books[1:]
		return b, nil
	}
	w.mu.Unlock()
	return t.newBook(ctx)
}

func (w *world) giveBook(b book) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.books = append(w.books, b)
}

// next numbers what is made.
func (w *world) next() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	return w.made
}
